"""Edits of what follows from a query's rewriting: result names, values of variables, bare names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.artifact.renames import RenameMap, ValuePairs
from harness.artifact.sql.edits import Edit


def result_names(text: str, outputs: Mapping[str, str], templated: bool) -> list[Edit]:
    """The edits of a text that is a result's column, or with `templated` names one inside."""
    if not outputs:
        return []
    if not templated:
        new = outputs.get(text)
        return [Edit(0, len(text.encode()), new.encode())] if new else []
    word = "|".join(sorted(map(re.escape, outputs), key=len, reverse=True))
    pattern = rf"(?<=[.\"'\[])({word})(?=[\"'\].:}}\s]|\Z)"
    found = []
    for match in re.finditer(pattern, text):
        first = len(text[: match.start(1)].encode())
        found.append(Edit(first, first + len(match[1].encode()), outputs[match[1]].encode()))
    return found


def chosen_values(text: str, values: ValuePairs, listed: bool) -> list[Edit]:
    """The edits of a variable's values."""
    parts = re.finditer(r"(?:^|(?<=,)|(?<= : ))[^,]+?(?=,|\Z)", text) if listed else ()
    spans = [match.span() for match in parts] if listed else [(0, len(text))]
    edits = []
    for start, end in spans:
        word = text[start:end].rpartition(" : ")[2]
        start = end - len(word)
        start += len(word) - len(word.lstrip())
        new = values.pairs.get(word.strip())
        if new is not None:
            first = len(text[:start].encode())
            edits.append(Edit(first, first + len(word.strip().encode()), new.encode()))
    return edits


def bare_name(text: str, relation: str, column: str | None, renames: RenameMap) -> list[Edit]:
    """The edit of a relation's or a column's name that stands outside SQL."""
    schema, _, name = relation.replace('"', "").rpartition(".")
    change = renames.find(schema or None, name)
    if change is None or change.new is None or change.rival:
        return []
    old = name if column is None else column
    new = change.new.name.name if column is None else change.columns.get(column, column)
    place = text.rfind(old)
    if place < 0 or old == new:
        return []
    first = len(text[:place].encode())
    return [Edit(first, first + len(old.encode()), new.encode())]
