"""A ledger's document as a file: written whole or not at all, read back or refused for a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from harness.core.jsonfile import write_json
from harness.document.base import (
    FlawedDocument,
    from_builtins,
    parse_document,
    read_document_text,
    refusal,
    to_builtins,
)
from harness.document.crash import SCHEMA_VERSION, CrashDocument, check_crash

WHAT: Final = "a ledger of a crash exploration"
AGAIN: Final = "write one with harness crash"


def write(document: CrashDocument, path: Path) -> None:
    """Write a ledger's document to a file, whole or not at all."""
    write_json(path, to_builtins(document))


def read(path: Path) -> CrashDocument:
    """Read what `write` wrote; anything else is a usage error that names the file and why."""
    text = read_document_text(path, what="the ledger", hint=AGAIN)
    value = parse_document(path, text, hint=AGAIN)
    try:
        _check_version(value)
        document = from_builtins(value, CrashDocument)
        check_crash(document)
    except FlawedDocument as flaw:
        raise refusal(path, text, flaw, what=WHAT, hint=AGAIN) from None
    return document


def _check_version(value: Any) -> None:
    """Said first: the keys of another version are other ones."""
    if not isinstance(value, dict) or "schema_version" not in value:
        raise FlawedDocument("the key 'schema_version' is missing")
    version = value["schema_version"]
    if version != SCHEMA_VERSION:
        reason = f"it has schema version {version!r}, this harness reads {SCHEMA_VERSION}"
        raise FlawedDocument(reason, "$.schema_version")
