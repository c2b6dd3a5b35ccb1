"""JSON files: written whole or not at all; read back, or refused with the line and the reason."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from harness.core.errors import UsageError
from harness.core.quantity import size

PARTIAL: Final = ".partial"
LARGEST: Final = 256 * 1024**2
"""Bytes. The ledger of every crash point of the reference plan has 20 MB."""


class FlawedJSON(ValueError):  # noqa: N818 - reads as what it is, like UnicodeError's kin
    """Text that is not the JSON that is read here; the line is where the reader noticed."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def write_whole(path: Path, text: str, *, durable: bool = False, permissions: int = 0o666) -> None:
    """Write a text file so that a reader sees the old one or the new one; raises OSError.

    With `durable` it has reached the disk, name and all, when this returns.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe: nothing to put in its place
        path.write_text(text, "utf-8", errors="backslashreplace")
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, permissions)
    try:
        # a byte of a name that is no text is a lone surrogate, which JSON writes as \udcXX
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(descriptor)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        _sync(path.parent)


def write_json(
    path: Path, document: Any, *, indent: int | None = None, durable: bool = False
) -> None:
    """Write a document to a file, and make its directory; UsageError when it cannot be written."""
    text = json.dumps(document, indent=indent, default=str, ensure_ascii=False, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text + "\n", durable=durable)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def read_text(path: Path) -> str:
    """The text of a document; FlawedJSON when it is too large or not UTF-8, OSError as it comes."""
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise FlawedJSON(f"is larger than {size(LARGEST)}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FlawedJSON("is not valid UTF-8", line) from None


def parse_json(text: str) -> Any:
    """The value of a JSON text; FlawedJSON also for NaN, Infinity and a key that stands twice."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except FlawedJSON:
        raise
    except json.JSONDecodeError as error:
        raise FlawedJSON(f"is not JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise FlawedJSON("is nested too deeply") from None
    except ValueError:  # an integer of more digits than Python converts
        raise FlawedJSON("holds a number that is too large") from None


def _refuse_constant(name: str) -> None:
    raise FlawedJSON(f"is not JSON: it holds {name}")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise FlawedJSON(f"has the key {twice!r} twice")
    return found


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
