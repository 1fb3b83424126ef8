#!/bin/sh
# Installs what the tests of this directory and of tests/acceptance run as real clients and shells, where it is missing (Debian, root).
set -eu

missing=""
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need chromium chromium
need curl curl
need dot graphviz
need fish fish
need jq jq
need ksh ksh
need nginx nginx-light
need node nodejs
need openssl openssl
need lsof lsof
need pgrep procps
need systemd-analyze systemd
need unshare util-linux
need mount mount
need zsh zsh

[ -n "$missing" ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -qq -y --no-install-recommends $missing >/dev/null
