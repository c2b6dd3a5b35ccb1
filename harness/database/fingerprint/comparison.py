"""Compare two fingerprints and name what differs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core.errors import UsageError
from harness.database.fingerprint.decoding import changed_rows
from harness.database.fingerprint.model import Difference, Fingerprint, Kind, SequenceValue


def compare(
    before: Fingerprint, after: Fingerprint, *, allow_sequence_gaps: bool = False
) -> tuple[Difference, ...]:
    """Every difference between two fingerprints; empty exactly when they are equal.

    With `allow_sequence_gaps` a sequence may be ahead of where it was (a crash skips numbers),
    never behind. Rows are named where both fingerprints were taken with detail.
    """
    if before.format != after.format:
        raise UsageError("the two fingerprints have different formats", hint="take both anew")
    if before.excluded != after.excluded:
        raise UsageError("the two fingerprints leave out different schemas", hint="take both alike")
    if before.excluded_relations != after.excluded_relations:
        raise UsageError(
            "the two fingerprints leave out different relations: "
            f"{_listed(before)}, {_listed(after)}",
            hint="take both alike",
        )
    if bool(before.data) != bool(after.data):
        raise UsageError("only one of the two fingerprints has data", hint="take both alike")
    found: list[Difference] = []
    if before.catalog != after.catalog:
        found += _objects("catalog", before, after)
    if before.security != after.security:
        found += _objects("security", before, after)
    if before.data != after.data:
        found += _data(before, after)
    if before.sequences != after.sequences:
        found += _sequences(before, after, allow_sequence_gaps)
    return tuple(found)


def _listed(found: Fingerprint) -> str:
    return " and ".join(found.excluded_relations) or "none"


def compare_rows(
    before: Fingerprint, after: Fingerprint, *, allow_sequence_gaps: bool = False
) -> tuple[Difference, ...]:
    """What differs in the relations and sequences that the earlier fingerprint knows.

    Their digests mean the same in every format so far.
    """
    relations = {n: found for n, found in after.relations.items() if n in before.relations}
    known = dataclasses.replace(after, relations=relations)
    return (*_data(before, known), *_sequences(before, after, allow_sequence_gaps))


def _objects(kind: Kind, before: Fingerprint, after: Fingerprint) -> Iterator[Difference]:
    old, new = before.objects[kind], after.objects[kind]
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        if name not in old or name not in new:
            relation = name.removeprefix("column ").rpartition(".")[0]
            if name.startswith("column ") and _lost_whole(relation, old, new):
                continue  # its relation is named already
            yield _presence(kind, name, name in old)
            continue
        yield from _attributes(kind, name, json.loads(old[name]), json.loads(new[name]))


def _lost_whole(relation: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    kinds = ("table", "view", "materialized view", "foreign table", "type")
    names = [f"{kind} {relation}" for kind in kinds]
    return not (any(name in old for name in names) and any(name in new for name in names))


def _presence(kind: Kind, name: str, was_there: bool) -> Difference:
    words = ("present", "absent") if was_there else ("absent", "present")
    return Difference(kind, name, "presence", *words)


def _attributes(
    kind: Kind, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Difference]:
    for attribute in sorted(old.keys() | new.keys()):
        was, is_now = old.get(attribute), new.get(attribute)
        if was == is_now:
            continue
        if isinstance(was, dict) and isinstance(is_now, dict):
            for part in _attributes(kind, name, was, is_now):
                yield dataclasses.replace(part, attribute=f"{attribute}.{part.attribute}")
            continue
        yield Difference(kind, name, attribute, _text(was), _text(is_now))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _data(before: Fingerprint, after: Fingerprint) -> Iterator[Difference]:
    for name in sorted(before.relations.keys() | after.relations.keys()):
        old, new = before.relations.get(name), after.relations.get(name)
        if old == new:
            continue
        if old is None or new is None:
            yield _presence("data", f"table {name}", old is not None)
            continue
        if old["rows"] != new["rows"]:
            yield Difference("data", f"table {name}", "rows", str(old["rows"]), str(new["rows"]))
        sketches = before.sketches.get(name), after.sketches.get(name)
        if sketches[0] and sketches[1]:
            yield from changed_rows(name, sketches[0], sketches[1])
        elif old["rows"] == new["rows"]:
            note = "taken without detail: rows_that_differ names them from two live databases"
            yield Difference(
                "data", f"table {name}", "contents", old["digest"], new["digest"], note=note
            )


def _sequences(before: Fingerprint, after: Fingerprint, gaps: bool) -> Iterator[Difference]:
    old, new = before.sequence_values, after.sequence_values
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            yield _presence("sequences", f"sequence {name}", name in old)
            continue
        was, is_now = old[name], new[name]
        if (was["last_value"], was["is_called"]) == (is_now["last_value"], is_now["is_called"]):
            continue
        note = _direction(was, is_now)
        if not (gaps and note != "behind"):
            yield Difference(
                "sequences", f"sequence {name}", "value", _stand(was), _stand(is_now), note=note
            )


def _direction(old: SequenceValue, new: SequenceValue) -> str:
    """Whether the next number comes later than before, by the sequence's own direction."""
    step = (_next(new) - _next(old)) * (1 if new["increment"] > 0 else -1)
    if step == 0:
        return "the next number is the same"
    return "ahead" if step > 0 else "behind"


def _next(value: SequenceValue) -> int:
    return value["last_value"] + (value["increment"] if value["is_called"] else 0)


def _stand(value: SequenceValue) -> str:
    return f"{value['last_value']} {'taken' if value['is_called'] else 'not taken'}"
