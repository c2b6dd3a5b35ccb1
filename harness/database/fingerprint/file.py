"""Save a fingerprint as JSON and load it again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

from harness.database.fingerprint import model
from harness.database.fingerprint.model import Fingerprint, Sketch
from harness.errors import UsageError

FORMAT: Final = 1


def to_json(found: Fingerprint) -> str:
    """The fingerprint as one JSON document; the attributes of objects are readable in it."""
    document: dict[str, Any] = {"format": FORMAT}
    for field in dataclasses.fields(found):
        document[field.name] = getattr(found, field.name)
    document["objects"] = {
        part: {name: json.loads(text) for name, text in sorted(objects.items())}
        for part, objects in found.objects.items()
    }
    document["sketches"] = {
        name: dataclasses.asdict(sketch) for name, sketch in found.sketches.items()
    }
    return json.dumps(document, ensure_ascii=False)


def from_json(text: str, where: str = "fingerprint") -> Fingerprint:
    """Read what `to_json` wrote; anything else is a usage error."""
    try:
        document = json.loads(text)
        if document.pop("format") != FORMAT:
            raise UsageError(
                "the fingerprint has another format", where=where, hint="take and save it anew"
            )
        document["objects"] = {
            part: {name: json.dumps(attributes) for name, attributes in objects.items()}
            for part, objects in document["objects"].items()
        }
        document["sketches"] = {
            name: Sketch(**{**sketch, "columns": tuple(sketch["columns"])})
            for name, sketch in document["sketches"].items()
        }
        document["excluded"] = tuple(document["excluded"])
        found = Fingerprint(**document)
        consistent = found.data in ("", model.digest_of_relations(found.relations))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            "this is no saved fingerprint", where=where, hint="write one with --save"
        ) from error
    if not consistent:
        raise UsageError("the file contradicts itself: it was edited", where=where)
    return found


def save(found: Fingerprint, path: Path) -> None:
    """Write a fingerprint to a file, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(to_json(found), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def load(path: Path) -> Fingerprint:
    """Read a saved fingerprint."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the fingerprint: {error}", where=str(path)) from error
    return from_json(text, str(path))
