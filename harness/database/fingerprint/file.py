"""Save a fingerprint as JSON and load it again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.jsonfile import FlawedJSON, parse_json, read_text, write_whole
from harness.database.fingerprint import model
from harness.database.fingerprint.model import FORMAT, Fingerprint, Sketch


def to_json(found: Fingerprint) -> str:
    """The fingerprint as one JSON document; the attributes of objects are readable in it."""
    document: dict[str, Any] = {"format": found.format}
    for field in dataclasses.fields(found):
        document[field.name] = getattr(found, field.name)
    if not found.excluded_relations:
        del document["excluded_relations"]  # so that an earlier harness reads what it can compare
    document["objects"] = {
        part: {name: json.loads(text) for name, text in sorted(objects.items())}
        for part, objects in found.objects.items()
    }
    document["sketches"] = {
        name: dataclasses.asdict(sketch) for name, sketch in found.sketches.items()
    }
    return json.dumps(document, ensure_ascii=False)


def from_json(text: str, where: str = "fingerprint", *, older: bool = False) -> Fingerprint:
    """Read what `to_json` wrote, with `older` in an older format too; else a usage error."""
    try:
        document = parse_json(text)
        _refuse_other_format(document["format"], where, older)
        document["objects"] = {
            part: {name: json.dumps(attributes) for name, attributes in objects.items()}
            for part, objects in document["objects"].items()
        }
        document["sketches"] = {
            name: Sketch(**{**sketch, "columns": tuple(sketch["columns"])})
            for name, sketch in document["sketches"].items()
        }
        document["excluded"] = tuple(document["excluded"])
        document["excluded_relations"] = tuple(document.get("excluded_relations", ()))
        found = Fingerprint(**document)
        consistent = found.data in ("", model.digest_of_relations(found.relations))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            "this is no saved fingerprint", where=where, hint="write one with --save"
        ) from error
    if not consistent:
        raise UsageError("the file contradicts itself: it was edited", where=where)
    return found


def _refuse_other_format(found: Any, where: str, older: bool) -> None:
    if found == FORMAT or (older and found in range(1, FORMAT)):
        return
    if not isinstance(found, int):
        raise ValueError(found)
    age = "an older" if found < FORMAT else "a newer"
    raise UsageError(
        f"this fingerprint was saved by {age} version of the harness: it has format {found}, and "
        f"format {FORMAT} is compared",
        where=where,
        hint="take it anew, or compare it with the version that saved it",
    )


def save(found: Fingerprint, path: Path) -> None:
    """Write a fingerprint to a file, whole or not at all."""
    try:
        write_whole(path, to_json(found))
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def load(path: Path, *, older: bool = False) -> Fingerprint:
    """Read a saved fingerprint, with `older` one of an older format too."""
    try:
        text = read_text(path)
    except OSError as error:
        reason = f"cannot read the fingerprint: {error.strerror}"
        raise UsageError(reason, where=str(path)) from error
    except FlawedJSON as flaw:
        raise UsageError(flaw.reason, where=f"{path}:{flaw.line}") from None
    return from_json(text, str(path), older=older)
