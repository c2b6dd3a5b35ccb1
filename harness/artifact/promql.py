"""PromQL: the values of labels in its matchers, edited in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from harness.artifact.renames import RenameMap, ValuePairs
from harness.artifact.sql.edits import Doubt, Edit

_PART: Final = re.compile(
    r"#[^\n]*|(?P<label>[A-Za-z_]\w*)\s*(?P<sign>=~|!~|!=|=)\s*"
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)"""
    r"""|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""",
    re.ASCII,
)
_LITERALS: Final = re.compile(r"[\w:./ |-]*", re.ASCII)
RELATION_LABELS: Final = ("relname", "table", "table_name", "tablename", "relation")
"""MetricLabels that hold a relation's name in the metrics of exporters of Postgres."""


def relation_pairs(renames: RenameMap) -> ValuePairs:
    """What the names of relations became, as values of a label."""
    pairs = {
        one.old.name.name: one.new.name.name
        for one in renames.changes.values()
        if one.new is not None and one.new.name.name != one.old.name.name
    }
    return ValuePairs(pairs, closed=False)


def rewrite_promql(
    text: str, relations: ValuePairs, labels: Mapping[str, ValuePairs], columns: Mapping[str, str]
) -> tuple[list[Edit], list[Doubt]]:
    """The edits of an expression, and what could not be decided.

    `labels` are those that an exporter's queries fill from columns of which values change;
    `columns` those that are called otherwise.
    """
    edits: list[Edit] = []
    doubts: list[Doubt] = []
    for match in _PART.finditer(text):
        label = match["label"]
        if label is None:
            continue
        values = relations if label in RELATION_LABELS else labels.get(label)
        if values is not None:
            _value(text, match, values, edits, doubts)
    for old, new in columns.items():
        if found := re.search(rf"(?<!\w){re.escape(old)}(?!\w)", _without_texts(text)):
            position = len(text[: found.start()].encode())
            reason = f"the label {old!r} is {new!r} in the exporter's query after the migration"
            doubts.append(Doubt(position, reason))
    return edits, doubts


def _value(
    text: str,
    match: re.Match[str],
    values: ValuePairs,
    edits: list[Edit],
    doubts: list[Doubt],
) -> None:
    start, end = match.start("text") + 1, match.end("text") - 1
    value = text[start:end]
    position = len(text[:start].encode())
    if not _LITERALS.fullmatch(value):
        if any(old in value for old in values.pairs):
            doubts.append(Doubt(position, f"{value!r} names {match['label']} by a pattern"))
        return
    several = match["sign"] in ("=~", "!~")
    for part in re.finditer(r"[^|]+", value) if several else [re.match(r".*", value)]:
        word = part[0] if part else ""
        if part is None or word not in values.pairs:
            continue
        if word in values.chained:
            doubts.append(Doubt(position, f"another value becomes {word!r}"))
            continue
        first = position + len(value[: part.start()].encode())
        edits.append(Edit(first, first + len(word.encode()), values.pairs[word].encode()))


def _without_texts(text: str) -> str:
    """The expression with blanks for its comments and texts, of the same length."""
    return re.sub(
        r"#[^\n]*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`",
        lambda match: " " * len(match[0]),
        text,
    )
