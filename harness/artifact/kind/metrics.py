"""Prometheus: rules, and the query files of exporters, whose columns become labels."""

from __future__ import annotations

from typing import Any, Final

from harness.artifact.kind.model import ArtifactKind, Found, FoundName, FoundQuery
from harness.artifact.kind.rule_groups import list_rules
from harness.artifact.text.tree import KEY, Path, TextTree

COLUMN_KEYS: Final = ("values", "labels", "key_labels", "value", "metrics", "static_labels")


def read_rules(tree: TextTree) -> Found | None:
    """The expressions of a rule file, or of a file of its unit tests; None for another file."""
    rules = list_rules(tree.value)
    if not any("expr" in rule and ("alert" in rule or "record" in rule) for rule in rules):
        return None
    found = [path for path, value in tree.walk() if path[-1:] == ("expr",) and _is_text(value)]
    return Found(expressions=tuple(found))


def read_exporter(tree: TextTree) -> Found | None:
    """The queries of a file of an exporter, and the lists of their columns; None for another."""
    queries: list[FoundQuery] = []
    names: list[FoundName] = []
    for path, value in tree.walk():
        if not (isinstance(value, dict) and _is_text(value.get("query"))):
            continue
        if not any(key in value for key in COLUMN_KEYS):
            continue
        queries.append(FoundQuery((*path, "query"), value["query"], "sql", path))
        for key in COLUMN_KEYS:
            names += _columns((*path, key), value.get(key), path)
    return Found(tuple(queries), names=tuple(names)) if queries else None


def _columns(path: Path, value: Any, scope: Path) -> list[FoundName]:
    """The columns in a list, in one text, or as keys of entries of a list."""
    if isinstance(value, str):
        return [FoundName(path, scope)]
    found = []
    for n, one in enumerate(value) if isinstance(value, list) else ():
        if isinstance(one, str):
            found.append(FoundName((*path, n), scope))
        elif isinstance(one, dict):
            found += [FoundName((*path, n, key, KEY), scope) for key in one]
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


RULES: Final = ArtifactKind("prometheus", (".yaml", ".yml", ".json", ".rules"), read_rules)
EXPORTER: Final = ArtifactKind("exporter", (".yaml", ".yml"), read_exporter, exports=True)
