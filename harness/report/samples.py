"""The samples of verify: single rows, field by field, for a person to read."""

from __future__ import annotations

from typing import Any

from harness.check.verify.samples import Field, Sample
from harness.report.shape import Document, MisshapenError, document, objects, shown


def read(found: Document) -> tuple[Sample, ...]:
    """The samples of a verify document; MisshapenError says what one lacks."""
    return tuple(_sample(item) for item in objects(found, "samples"))


def _sample(item: Document) -> Sample:
    relation = _first(item, "relation", "table")
    if relation is None:
        raise MisshapenError("a sample names no relation")
    return Sample(
        relation=shown(relation),
        key=shown(_first(item, "key", "id")),
        fields=tuple(_field(field) for field in objects(item, "fields")),
    )


def _field(item: Document) -> Field:
    part = document(item, "a field")
    before = _first(part, "before", "source", "expected")
    after = _first(part, "after", "target", "found", "actual")
    right = _first(part, "right", "equal", "same", "ok")
    return Field(
        name=shown(_first(part, "name", "field", "column")),
        before=shown(before),
        after=shown(after),
        right=before == after if right is None else bool(right),
    )


def _first(item: Document, *keys: str) -> Any:
    """The value of the first key that is there."""
    return next((item[key] for key in keys if key in item), None)
