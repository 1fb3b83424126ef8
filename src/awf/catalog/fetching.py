"""The files of a pack, copied from a directory, taken out of an archive, or cloned from a git repository.

Nothing that a source says is trusted: only regular files and directories are taken, under names that stay below the target,
and no more of them than a pack can have. What breaks a rule ends it all.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

from msgspec import Struct, field

from awf.errors import PackInvalid, RequestInvalid, SystemFault

MOST_FILES = 10_000
MOST_BYTES = 100 * 1024 * 1024
"""Of a whole pack, unpacked."""
LONGEST_NAME = 500
DEEPEST = 30

CLONE_PATIENCE = 600
"""Seconds in which a repository must have been cloned."""

_CHUNK = 1024 * 1024
_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://", "git@")


class Fetched(Struct, frozen=True):
    """The files below ``root``; what they came from, as it was named, its ``kind`` (``directory``, ``archive``, ``git``), and
    of a repository what was asked for and what that was."""

    root: Path
    source: str
    kind: str
    ref: str = ""
    commit: str = ""


def fetch(source: str, scratch: Path, ref: str = "", subdirectory: str = "") -> Fetched:
    """Bring the files of a source, or of a directory in it, to below ``scratch``. Raises RequestInvalid, PackInvalid,
    SystemFault."""
    target = scratch / "files"
    path = Path(source).expanduser()
    if (
        source.startswith(_SCHEMES)
        or (path.is_dir() and (path / "HEAD").is_file())
        or source.endswith(".git")
    ):
        return _clone(source, scratch, target, ref, subdirectory)
    if ref:
        raise RequestInvalid("--ref is for git repositories")
    if path.is_dir():
        _copy(_inside(path, subdirectory), target)
        return Fetched(target, str(path.absolute()), "directory")
    if path.is_file():
        _unpack(path, target)
        return Fetched(_inside(target, subdirectory), str(path.absolute()), "archive")
    raise RequestInvalid(
        f"no such pack: {source}; give a directory, an archive (.zip, .tar, .tar.gz) or a git URL"
    )


class _Target(Struct):
    """Where files go to, within bounds."""

    root: Path
    left: int = field(default_factory=lambda: MOST_BYTES)
    seen: set[str] = field(default_factory=set)

    def place(self, name: str) -> Path:
        """Where something of that name goes. Raises PackInvalid for a name that does not stay below."""
        parts = PurePosixPath(name).parts
        if (
            not parts
            or name.startswith(("/", "\\"))
            or ".." in parts
            or any(character in name for character in "\\\0\n\r")
            or (len(name) > 1 and name[1] == ":")
        ):
            raise PackInvalid(
                f"the source has a file with the name {name!r}, which does not stay in the pack"
            )
        if len(name) > LONGEST_NAME or len(parts) > DEEPEST:
            raise PackInvalid(f"the source has a file with too long a name: {name[:80]!r}…")
        if len(self.seen) >= MOST_FILES:
            raise PackInvalid(f"the source has more than {MOST_FILES} files")
        return self.root.joinpath(*parts)

    def directory(self, name: str) -> None:
        """Make a directory."""
        self.place(name).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: IO[bytes], *, executable: bool) -> None:
        """Write a file."""
        path = self.place(name)
        key = str(PurePosixPath(name))
        if key in self.seen:
            raise PackInvalid(f"the source has {name!r} twice")
        self.seen.add(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            while chunk := content.read(_CHUNK):
                self.left -= len(chunk)
                if self.left < 0:
                    raise PackInvalid(f"the source has more than {MOST_BYTES // 1024 // 1024} MiB")
                file.write(chunk)
        path.chmod(0o755 if executable else 0o644)


def _inside(root: Path, subdirectory: str) -> Path:
    """A directory in a source. Raises RequestInvalid."""
    found = root / subdirectory
    if not found.resolve().is_relative_to(root.resolve()) or not found.is_dir():
        raise RequestInvalid(f"there is no directory {subdirectory} in the source")
    return found


def _refused(name: str) -> PackInvalid:
    return PackInvalid(f"the source has {name!r}, which is neither a regular file nor a directory")


def _copy(source: Path, target: Path, without: frozenset[str] = frozenset({".git"})) -> None:
    into, packs = _Target(target), target.parents[1]
    target.mkdir()
    for place, directories, names in os.walk(source):
        # Where packs are installed to can lie in the source: a project that is a pack itself.
        directories[:] = sorted(
            name for name in set(directories) - without if not packs.samefile(Path(place, name))
        )
        for name in [*directories, *sorted(names)]:
            path = Path(place, name)
            relative = path.relative_to(source).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                into.directory(relative)
            elif stat.S_ISREG(mode):
                with path.open("rb") as content:
                    into.write(relative, content, executable=bool(mode & stat.S_IXUSR))
            else:
                raise _refused(relative)


def _unpack(archive: Path, target: Path) -> None:
    into = _Target(target)
    target.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _unzip(opened, into)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as opened_tar:
                _untar(opened_tar, into)
        else:
            raise PackInvalid(
                f"{archive} is no archive that awf can read: .zip, .tar, .tar.gz, .tar.bz2, .tar.xz"
            )
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise PackInvalid(f"{archive} cannot be read: {error}") from None
    except FileExistsError as error:
        raise PackInvalid(f"the source has {error.filename!r} both as a file and as a directory") from None


def _unzip(archive: zipfile.ZipFile, into: _Target) -> None:
    for item in archive.infolist():
        kind = stat.S_IFMT(item.external_attr >> 16)
        if item.is_dir():
            into.directory(item.filename)
        elif kind not in {0, stat.S_IFREG}:
            raise _refused(item.filename)
        else:
            with archive.open(item) as content:
                into.write(item.filename, content, executable=bool(item.external_attr >> 16 & stat.S_IXUSR))


def _untar(archive: tarfile.TarFile, into: _Target) -> None:
    for item in archive:
        name = item.name.removeprefix("./")
        if item.isdir():
            if name not in {"", "."}:
                into.directory(name)
            continue
        content = archive.extractfile(item) if item.isreg() else None
        if content is None:
            raise _refused(item.name)
        with closing(content):
            into.write(name, content, executable=bool(item.mode & stat.S_IXUSR))


def _clone(source: str, scratch: Path, target: Path, ref: str, subdirectory: str) -> Fetched:
    """A shallow clone without hooks, submodules, questions or helpers that a URL could name."""
    program = shutil.which("git")
    if program is None:
        raise SystemFault("a git URL needs git, which is not on the PATH")
    clone = scratch / "clone"
    command = [program, *_settings(), "clone", "--quiet", "--depth", "1", "--no-recurse-submodules"]
    command += ["--branch", ref] if ref else []
    _git([*command, "--", source, str(clone)], source)
    commit = _git([program, "-C", str(clone), "rev-parse", "HEAD"], source)
    _copy(_inside(clone, subdirectory), target)
    shutil.rmtree(clone, ignore_errors=True)
    return Fetched(target, source, "git", ref, commit.strip())


def _settings() -> Iterator[str]:
    for setting in ("core.hooksPath=/dev/null", "protocol.ext.allow=never"):
        yield from ("-c", setting)


def _git(command: list[str], source: str) -> str:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=CLONE_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise SystemFault(f"{source} was not cloned within {CLONE_PATIENCE} s") from None
    if done.returncode:
        said = " ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
        raise RequestInvalid(
            f"git cannot clone {source}: {said[-500:]}", remedy="another URL or --ref, or `git clone` by hand"
        )
    return done.stdout
