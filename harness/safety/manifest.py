"""The manifest of a backup: written last and whole, so that a directory without one is no backup.

It carries a checksum of itself and the size and SHA-256 of every file, against damage; who may
write to the directory may write both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.core.errors import Refused, UsageError
from harness.core.jsonfile import FlawedJSON, parse_json, read_text, write_whole
from harness.database.creation import Making
from harness.database.template0 import Furniture
from harness.document.base import FlawedDocument, from_builtins

NAME: Final = "manifest.json"
FORMAT: Final = 1
_AGAIN: Final = "take another backup, or fetch another copy of this one"


@dataclass(frozen=True)
class File:
    """One file of a backup; its name is relative to the directory."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class BackupManifest:
    """What a backup is of and consists of. Only where `verified` was it restored and compared.

    `made` is how its database was made, None in backups of earlier versions, which did not say.
    `has` is what it had of template0's; whatever was verified by an earlier version had it all.
    """

    verified: bool
    why: str
    database: str
    server_version: int
    created_at: str
    roles: tuple[str, ...]
    files: tuple[File, ...]
    fingerprint: Mapping[str, str]
    rows: Mapping[str, int]
    made: Making | None = None
    has: Furniture = field(default_factory=Furniture)

    @property
    def major(self) -> int:
        """The major version of the server that it was taken from."""
        return self.server_version // 10_000


def described(directory: Path, names: Iterable[str]) -> tuple[File, ...]:
    """Size and SHA-256 of files as they lie on the disk."""
    return tuple(_file(directory, name) for name in sorted(names))


def write(manifest: BackupManifest, directory: Path) -> None:
    """Write the manifest whole or not at all, and make sure that it reached the disk."""
    document = {"format": FORMAT, **dataclasses.asdict(manifest)}
    document["checksum"] = _checksum(document)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    write_whole(directory / NAME, text + "\n", durable=True)


def read(directory: Path) -> BackupManifest:
    """Read and check the manifest; without one it is a usage error, a damaged one is refused."""
    path = directory / NAME
    try:
        text = read_text(path)
        return _parsed(parse_json(text), path)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"this is no backup: it has no {NAME}",
            where=str(directory),
            hint="name the directory of `harness backup`; one that was cut short has none",
        ) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except FlawedJSON as flaw:
        raise _damaged(path, f"the manifest is damaged: line {flaw.line} {flaw.reason}") from None
    except FlawedDocument as flaw:
        raise _damaged(path, f"the manifest is damaged: {flaw}") from None


def check_files(manifest: BackupManifest, directory: Path) -> None:
    """Refuse, by name, a file that is missing or not what it was."""
    for file in manifest.files:
        path = directory / file.name
        try:
            found = _file(directory, file.name)
        except OSError as error:
            raise _damaged(path, f"a file of the backup cannot be read: {error.strerror}") from None
        if found.size != file.size:
            raise _damaged(path, f"it has {found.size:,} bytes and must have {file.size:,}")
        if found.sha256 != file.sha256:
            raise _damaged(path, "its SHA-256 is not what the manifest says")


def _parsed(value: Any, path: Path) -> BackupManifest:
    """The manifest; FlawedDocument says what it lacks, Refused that it is of another format."""
    if not isinstance(value, dict) or "format" not in value:
        raise FlawedDocument("the key 'format' is missing")
    if value["format"] != FORMAT:
        raise Refused(
            f"the manifest has format {value['format']!r}, this harness reads {FORMAT}",
            where=str(path),
            hint="restore it with the harness that wrote it",
        )
    if value.get("checksum") != _checksum(value):
        raise _damaged(path, "the manifest is damaged: its checksum is another")
    return from_builtins(value, BackupManifest)


def _file(directory: Path, name: str) -> File:
    path = directory / name
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(name, path.stat().st_size, digest)


def _checksum(document: Mapping[str, Any]) -> str:
    told = {key: value for key, value in document.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, what: str) -> Refused:
    return Refused(what, where=str(path), hint=_AGAIN)
