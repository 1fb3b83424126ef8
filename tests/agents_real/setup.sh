#!/usr/bin/env bash
# Installs the command-line tools of agents into a folder of their own: setup.sh FOLDER. From npm and PyPI only; with a home of
# its own, so that nothing of yours is read or changed. Vibe wants Python 3.12 or newer: PYTHON312, or the first on the PATH.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
export HOME="$folder/home"
mkdir -p "$HOME"

npm_tool() {
    local name=$1 package=$2
    [ -x "$folder/$name/node_modules/.bin/$3" ] && return
    echo "installing $package"
    npm install --silent --no-audit --no-fund --prefix "$folder/$name" "$package"
}

npm_tool claude @anthropic-ai/claude-code claude
npm_tool codex @openai/codex codex
npm_tool gemini @google/gemini-cli gemini
npm_tool github_copilot @github/copilot copilot
npm_tool opencode opencode-ai opencode

if [ ! -x "$folder/mistral_vibe/bin/vibe" ]; then
    for python in "${PYTHON312:-}" python3.14 python3.13 python3.12; do
        [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && break
        python=
    done
    [ -n "$python" ] || { echo "mistral-vibe needs Python 3.12 or newer; set PYTHON312" >&2; exit 1; }
    echo "installing mistral-vibe"
    "$python" -m venv "$folder/mistral_vibe"
    "$folder/mistral_vibe/bin/pip" install --quiet --disable-pip-version-check mistral-vibe
fi
