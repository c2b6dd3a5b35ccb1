"""Grafana: dashboards of both models, library panels, alert rules; in JSON and in YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.artifact.kind.model import (
    ArtifactKind,
    Found,
    FoundName,
    FoundOption,
    FoundQuery,
    FoundRelation,
)
from harness.artifact.kind.rule_groups import list_rules
from harness.artifact.text.tree import KEY, Path, TextTree

QUERY_KEYS: Final = ("rawSql", "rawQuery")
POSTGRES: Final = ("", "postgres", "grafana-postgresql-datasource", "-- Mixed --", "datasource")
NAMED_BY_KEY: Final = ("renameByName", "excludeByName", "indexByName", "includeByName")
"""Objects of transformations in which the columns of a result are keys."""
BY_RESULT: Final = ("matcher", "transformations", "sortBy", "options")
_TEMPLATED: Final = re.compile(r"\$\{__(?:data\.fields|field\.labels)|\$labels\.|\$values\.")
_OPTION: Final = re.compile(r"[^,]+")


def read_grafana(tree: TextTree) -> Found | None:
    """What a dashboard, a library panel or a file of alert rules holds; None for another file."""
    if not _is_grafana(tree.value):
        return None
    reader = _Reader(dict(tree.walk()))
    for path, value in reader.values.items():
        if isinstance(value, dict):
            reader.meet_object(path, value)
        elif isinstance(value, str) and path and value.strip():
            reader.meet_text(path, value)
    variables, asked, more, options = _variables(tree.value)
    return Found(
        (*reader.queries, *more), variables, asked, tuple(reader.names), tuple(options),
        tuple(reader.relations), tuple(reader.expressions), tuple(reader.foreign),
    )  # fmt: skip


@dataclass
class _Reader:
    """Collects what a walk through a dashboard meets."""

    values: Mapping[Path, Any]
    queries: list[FoundQuery] = field(default_factory=list)
    names: list[FoundName] = field(default_factory=list)
    relations: list[FoundRelation] = field(default_factory=list)
    foreign: list[tuple[Path, str]] = field(default_factory=list)
    expressions: list[Path] = field(default_factory=list)
    scopes: list[Path] = field(default_factory=lambda: [()])

    def meet_object(self, path: Path, value: Mapping[str, Any]) -> None:
        """A panel, a builder's copy, or an object whose keys are columns of a result."""
        if "targets" in value or value.get("kind") == "Panel":
            self.scopes.append(path)
        self.relations += _builder(path, value)
        if path and path[-1] in NAMED_BY_KEY:
            scope = _scope(self.scopes, path)
            self.names += [FoundName((*path, name, KEY), scope) for name in value]

    def meet_text(self, path: Path, value: str) -> None:
        """A query, an expression, or a text that may name a column of a result."""
        scope = _scope(self.scopes, path)
        key = path[-1]
        if key in QUERY_KEYS:
            source = _source(path, self.values)
            if source in POSTGRES:
                self.queries.append(FoundQuery(path, value, "grafana", scope))
            else:
                self.foreign.append((path, source))
        elif key == "expr":
            self.expressions.append(path)
        elif key == "whereString" and "sql" in path:
            table = _table(path, self.values)
            if table:
                frame = f"select 1 from {table} where "  # noqa: S608 - it is read, and never run
                self.queries.append(FoundQuery(path, value, "grafana", scope, frame))
        else:
            self.names += _names(path, value, scope)


def _is_grafana(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    inner = value.get("dashboard", value.get("spec", value.get("model", value)))
    if isinstance(inner, dict):
        if any(isinstance(inner.get(key), list) for key in ("panels", "rows")):
            return True
        if isinstance(inner.get("elements"), dict) or isinstance(inner.get("templating"), dict):
            return True
        if isinstance(inner.get("targets"), list):
            return True
    return any("data" in rule for rule in list_rules(value))


def _source(path: Path, values: Mapping[Path, Any]) -> str:
    """The type of the data source that a query is for, as far as it is said near to it."""
    for end in range(len(path) - 1, -1, -1):
        near = values[path[:end]]
        if not isinstance(near, dict):
            continue
        source = near.get("datasource")
        if isinstance(source, dict) and source.get("type"):
            return str(source["type"])
        if near.get("kind") == "DataQuery" and near.get("group"):
            return str(near["group"])
    return ""


def _table(path: Path, values: Mapping[Path, Any]) -> str | None:
    target = values[path[: path.index("sql")]]
    return target.get("table") if isinstance(target, dict) else None


def _builder(path: Path, value: Mapping[str, Any]) -> Iterator[FoundRelation]:
    """The copies that the query builder keeps beside the SQL."""
    table, parts = value.get("table"), value.get("sql")
    if not isinstance(table, str) or not table or "rawSql" not in value:
        return
    yield FoundRelation((*path, "table"), table)
    inner = TextTree(parts, dict)
    for place, one in inner.walk() if isinstance(parts, dict) else ():
        near = place[-2:] and place[-1]
        if isinstance(one, str) and one and near in ("name", "field") and "type" not in place:
            yield FoundRelation((*path, "sql", *place), table, one.strip('"'))


def _scope(scopes: list[Path], path: Path) -> Path:
    """The panel that a place lies in, else the whole file."""
    return max((one for one in scopes if path[: len(one)] == one), key=len)


def _names(path: Path, value: str, scope: Path) -> Iterator[FoundName]:
    if _TEMPLATED.search(value):
        yield FoundName(path, scope, templated=True)
        return
    inside = path[len(scope) :]
    if "targets" in inside or path[-1] in ("title", "description", "text"):
        return
    if any(part in inside for part in BY_RESULT):
        yield FoundName(path, scope)


def _variables(
    value: Any,
) -> tuple[dict[str, list[str]], dict[str, str], list[FoundQuery], list[FoundOption]]:
    """The template variables: current values, queries, and where values stand."""
    known: dict[str, list[str]] = {}
    asked: dict[str, str] = {}
    queries: list[FoundQuery] = []
    options: list[FoundOption] = []
    for path, one in _each_variable(value):
        name, kind = str(one.get("name", "")), str(one.get("type", ""))
        query = one.get("query")
        known[name] = _current(one)
        source = one.get("datasource")
        if isinstance(source, dict) and source.get("type", "") not in POSTGRES:
            continue
        if kind == "query":
            for place, text in _query_of(path, one):
                asked.setdefault(name, text)
                if place[-1] not in QUERY_KEYS:
                    queries.append(FoundQuery(place, text, "grafana", path))
        elif isinstance(query, str):
            options.append(FoundOption((*path, "query"), name, listed=kind == "custom"))
        options += _options(path, one, name)
    return known, asked, queries, options


def _each_variable(value: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for path, one in TextTree(value, dict).walk():
        if not isinstance(one, dict) or "name" not in one:
            continue
        if len(path) > 2 and path[-3:-1] == ("templating", "list"):
            yield path, one
        elif path[-1:] == ("spec",) and len(path) > 2 and path[-3] == "variables":
            kind = {"QueryVariable": "query", "CustomVariable": "custom"}
            outer = _at(value, path[:-1])
            yield path, {**one, "type": kind.get(str(outer.get("kind")), "other")}


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _current(one: Mapping[str, Any]) -> list[str]:
    """The values that are chosen; all of them where the choice is All, or nothing is chosen."""
    current = one.get("current")
    chosen = current.get("value") if isinstance(current, dict) else None
    chosen = chosen if isinstance(chosen, list) else [chosen]
    found = [str(value) for value in chosen if value not in (None, "", "$__all")]
    if found:
        return found
    listed = one.get("options")
    every = [
        str(option.get("value"))
        for option in (listed if isinstance(listed, list) else [])
        if isinstance(option, dict) and option.get("value") not in (None, "$__all")
    ]
    return every or _listed(one)


def _listed(one: Mapping[str, Any]) -> list[str]:
    query = one.get("query")
    if not isinstance(query, str) or one.get("type") == "query":
        return []
    if one.get("type") != "custom":
        return [query]
    return [part.rpartition(" : ")[2].strip() for part in _OPTION.findall(query)]


def _query_of(path: Path, one: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    query = one.get("query")
    if isinstance(query, str) and query.strip():
        yield (*path, "query"), query
    for inner, text in TextTree(query, dict).walk() if isinstance(query, dict) else ():
        if isinstance(text, str) and text.strip() and inner[-1] in ("query", *QUERY_KEYS):
            yield (*path, "query", *inner), text
    definition = one.get("definition")
    if isinstance(definition, str) and definition.strip():
        yield (*path, "definition"), definition


def _options(path: Path, one: Mapping[str, Any], name: str) -> Iterator[FoundOption]:
    for key in ("current", "options"):
        for inner, text in TextTree(one.get(key), dict).walk():
            if isinstance(text, str) and {"value", "text"} & set(inner):
                yield FoundOption((*path, key, *inner), name)


GRAFANA: Final = ArtifactKind("grafana", (".json", ".yaml", ".yml"), read_grafana)
