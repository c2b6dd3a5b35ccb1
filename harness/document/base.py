"""What every document is: a frozen record that becomes JSON, and comes back whole or not at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from harness.core.errors import UsageError
from harness.core.jsonfile import FlawedJSON, parse_json, read_text
from harness.document.text_position import line_of, spelled_out

LONGEST: Final = 300
Word = Literal["pass", "fail", "unknown"]
Kind = TypeVar("Kind")

_MISSING: Final = re.compile(r"Object missing required field `(.*)`$")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`$")
_PLACED: Final = re.compile(r"(?P<said>.*) - at `(?P<place>.*)`$", re.DOTALL)


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record of a document that we write ourselves: a key more or less is a mistake."""


class OpenDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a document that others may write: it may have keys that nobody reads here."""


class FlawedDocument(ValueError):  # noqa: N818 - reads as what it is
    """A value is not the document it should be; `place` is where, such as $.suites[3].seconds."""

    def __init__(self, reason: str, place: str = "$") -> None:
        if len(reason) > LONGEST:  # it may quote the document
            reason = reason[:LONGEST] + "…"
        super().__init__(f"{place}: {reason}")
        self.reason = reason
        self.place = place


def to_builtins(document: Any) -> Any:
    """A document, or anything that holds some, as dicts, lists and scalars: what JSON has."""
    return _listed(msgspec.to_builtins(document))


def _listed(value: Any) -> Any:
    """The value with lists for tuples: JSON has no others, and a reader compares with lists."""
    if isinstance(value, dict):
        return {name: _listed(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(part) for part in value]
    return value


def from_builtins(value: Any, kind: type[Kind]) -> Kind:
    """The document that a parsed JSON value is; FlawedDocument says where it is not."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _flawed(str(error), value, kind) from None
    except RecursionError:
        raise FlawedDocument("nested too deeply") from None


def read_document(path: Path, kind: type[Kind], *, what: str, hint: str) -> Kind:
    """Read a file; UsageError names file, line, place and reason where it is not `what`.

    An absent file is a UsageError too.
    """
    text = read_document_text(path, what=what, hint=hint)
    value = parse_document(path, text, hint=hint)
    try:
        return from_builtins(value, kind)
    except FlawedDocument as error:
        raise refusal(path, text, error, what=what, hint=hint) from None


def read_document_text(path: Path, *, what: str, hint: str) -> str:
    """The text of a document's file; a UsageError when it cannot be read."""
    try:
        return read_text(path)
    except FlawedJSON as error:
        raise UsageError(error.reason, where=f"{path}:{error.line}", hint=hint) from None
    except OSError as error:
        reason = f"{what} cannot be read: {error.strerror}"
        raise UsageError(reason, where=str(path), hint=hint) from None


def parse_document(path: Path, text: str, *, hint: str) -> Any:
    """The JSON value of a document's text; a UsageError that names the line where it is none."""
    try:
        return parse_json(text)
    except FlawedJSON as error:
        raise UsageError(error.reason, where=f"{path}:{error.line}", hint=hint) from None


def refusal(path: Path, text: str, flaw: FlawedDocument, *, what: str, hint: str) -> UsageError:
    """The usage error of a flaw, with the line of the file where it stands."""
    where = f"{path}:{line_of(text, flaw.place)}"
    return UsageError(f"is not {what}: {flaw}", where=where, hint=hint)


def spell_value(value: Any) -> Any:
    """For json.dumps: a document as its keys and values, anything else that JSON lacks as text."""
    return to_builtins(value) if isinstance(value, msgspec.Struct) else str(value)


def to_text(document: Any, *, indent: int | None = None) -> str:
    """A document as the text of a JSON file."""
    return json.dumps(to_builtins(document), indent=indent, default=str, ensure_ascii=False) + "\n"


def _flawed(said: str, value: Any, kind: Any) -> FlawedDocument:
    found = _PLACED.match(said)
    place = found["place"] if found else "$"
    reason = found["said"] if found else said
    if "[...]" in place:
        place = spelled_out(place, value, lambda part: _says(part, kind, said))
    if missing := _MISSING.match(reason):
        return FlawedDocument(f"the key {missing[1]!r} is missing", place)
    if unknown := _UNKNOWN.match(reason):
        return FlawedDocument(f"the key {unknown[1]!r} is not one of this document", place)
    reason = reason[:1].lower() + reason[1:].replace("`", "")
    return FlawedDocument(reason, place.removeprefix("key in "))


def _says(value: Any, kind: Any, said: str) -> bool:
    """Whether a value is flawed in the same words."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return str(error) == said
    return False
