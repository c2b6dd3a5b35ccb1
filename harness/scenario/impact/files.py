"""The files that are named: found, read, and written whole or not at all."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.artifact.file import Artifact, read_artifact
from harness.artifact.text.tree import UnreadTree
from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.core.jsonfile import write_whole
from harness.core.writable import refuse_unwritable

LARGEST: Final = 64 * 1024 * 1024
SKIPPED: Final = (".git", "node_modules", ".venv", "__pycache__")
MENTIONS: Final = 20
_TEMPORARY: Final = re.compile(r".*\.\d+\.partial")


@dataclass(frozen=True)
class NamedFile:
    """A file, as it is told, and its name below the path that was named."""

    path: Path
    below: Path


@dataclass
class FoundFiles:
    """The artifacts, the files of no kind, and what was wrong with others."""

    artifacts: list[tuple[NamedFile, Artifact]] = field(default_factory=list)
    others: list[NamedFile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def list_files(paths: Sequence[Path], without: Path | None) -> list[NamedFile]:
    """Every file that is named, or lies below a directory that is; `without` one directory.

    A link inside a directory is not followed: it may lead out of what was named. Raises UsageError
    for a path that is not there.
    """
    found: dict[Path, NamedFile] = {}
    for path in paths:
        if path.is_dir():
            for each in _below(path, without):
                found.setdefault(each.resolve(), NamedFile(each, each.relative_to(path)))
        elif path.is_file():
            found.setdefault(path.resolve(), NamedFile(path, Path(path.name)))
        else:
            reason = "there is no file and no directory of this name"
            raise UsageError(reason, where=str(path), hint="name what is there")
    return list(found.values())


def _below(path: Path, without: Path | None) -> Iterator[Path]:
    for root, directories, names in os.walk(path):
        here = Path(root)
        directories[:] = sorted(
            name
            for name in directories
            if name not in SKIPPED and (without is None or (here / name).resolve() != without)
        )
        for name in sorted(names):
            each = here / name
            if each.is_file() and not each.is_symlink() and not _TEMPORARY.fullmatch(name):
                yield each


def read_files(files: Sequence[NamedFile]) -> FoundFiles:
    """Read every file; one that is not what its name says is a finding."""
    found = FoundFiles()
    for named in files:
        try:
            if named.path.stat().st_size > LARGEST:
                raise UnreadTree("is larger than 64 MiB")
            artifact = read_artifact(named.path)
        except UnreadTree as error:
            where = f"{named.path}:{error.line}"
            found.findings.append(_unread(where, error.reason))
        except OSError as error:
            found.findings.append(_unread(str(named.path), f"cannot be read: {error.strerror}"))
        else:
            if artifact is None:
                found.others.append(named)
            else:
                found.artifacts.append((named, artifact))
    return found


def _unread(where: str, reason: str) -> Finding:
    return Finding(
        "impact-unread",
        "critical",
        where,
        f"the file is not read: it {reason}",
        "correct the file, or leave it out of the paths",
    )


def mentions(files: Sequence[NamedFile], names: Sequence[str]) -> Iterator[Finding]:
    """Lines of files of no kind that name what is called otherwise: listed, never rewritten."""
    if not names:
        return
    word = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")
    for named in files:
        try:
            if named.path.stat().st_size > LARGEST:
                continue
            lines = named.path.read_bytes().decode("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        places = [n for n, line in enumerate(lines, 1) if word.search(line)]
        if places:
            shown = tuple(f"{n}: {lines[n - 1].strip()[:120]}" for n in places[:MENTIONS])
            yield Finding(
                "impact-mention",
                "info",
                f"{named.path}:{places[0]}",
                f"{len(places)} lines name what is called otherwise afterwards",
                "it is a file of no known kind: look at each",
                "\n".join(shown),
            )


def targets(files: Sequence[NamedFile], *, write: bool, out: Path | None) -> dict[NamedFile, Path]:
    """Where each file is written; empty where nothing is to be.

    Raises UsageError before anything is done, where one cannot be written, or two are one.
    """
    if not write and out is None:
        return {}
    found: dict[NamedFile, Path] = {}
    taken: dict[Path, NamedFile] = {}
    for named in files:
        target = named.path if out is None else out / named.below
        other = taken.setdefault(target, named)
        if other is not named:
            raise UsageError(
                f"{other.path} and {named.path} would both be written to {target}",
                where="--out",
                hint="name the directory that holds both",
            )
        if not (out is not None and not target.exists()):
            refuse_unwritable(target, "name what may be written")
        found[named] = target
    if out is not None:
        refuse_unwritable(out / ".impact", "name another directory")
    return found


def write_file(source: Path, target: Path, text: str) -> None:
    """Write an artifact in one move, with the permissions of the one it is made from."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(source.stat().st_mode)
        write_whole(target, text)
        target.chmod(mode)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(target)) from error
