"""What a person says of the map, in TOML: impact.toml beside the subject, or a file of --map.

[relations]
"shop.orders" = "shop.purchases"
[columns."shop.orders"]
state = "state"
[values."shop.orders".state]
open = "pending"
[same]
"board.json#$.panels[0].targets[0].rawSql" = "why its result may differ"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.artifact.renames import RenameMap
from harness.artifact.schema import RelationName, SeenRelation, SeenSchema
from harness.core.errors import UsageError

NAME: Final = "impact.toml"
TABLES: Final = ("relations", "columns", "values", "same")


@dataclass(frozen=True)
class Declaration:
    """What is said: successors of relations and columns, pairs of values, declared differences."""

    path: Path | None = None
    relations: Mapping[RelationName, RelationName] = field(default_factory=dict)
    columns: Mapping[RelationName, Mapping[str, str]] = field(default_factory=dict)
    values: Mapping[RelationName, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)

    def refuse_unknown(self, before: SeenSchema, after: SeenSchema) -> None:
        """Raise UsageError for what is said of something that the databases do not have."""
        for old, new in self.relations.items():
            self._relation(old, before, "before")
            self._relation(new, after, "after")
        for name, columns in (*self.columns.items(), *self.values.items()):
            relation = self._relation(name, before, "before")
            for column in columns:
                if column not in relation.columns:
                    raise self._refusal(column, f"{name} has no column {column!r} before")
        for name, pairs in self.columns.items():
            self._successors(name, pairs, before, after)

    def over(self, other: Declaration) -> Declaration:
        """Both, where this one has the last word."""
        return Declaration(
            self.path or other.path,
            {**other.relations, **self.relations},
            _merged(other.columns, self.columns),
            {
                name: _merged(other.values.get(name, {}), self.values.get(name, {}))
                for name in {**other.values, **self.values}
            },
            {**other.same, **self.same},
        )

    def _successors(
        self, name: RelationName, pairs: Mapping[str, str], before: SeenSchema, after: SeenSchema
    ) -> None:
        oid = before.relations[name].oid
        same = next((one for one in after.relations.values() if one.oid == oid), None)
        meant = self.relations.get(name, same.name if same else name)
        relation = self._relation(meant, after, "after")
        for column in pairs.values():
            if column not in relation.columns:
                raise self._refusal(column, f"{meant} has no column {column!r} after")
        twice = {one for one in pairs.values() if list(pairs.values()).count(one) > 1}
        if twice:
            raise self._refusal(min(twice), f"two columns of {name} become {min(twice)!r}")

    def _relation(self, name: RelationName, schema: SeenSchema, when: str) -> SeenRelation:
        found = schema.relations.get(name)
        if found is None:
            raise self._refusal(str(name), f"there is no relation {name} {when} the migration")
        return found

    def _refusal(self, word: str, reason: str) -> UsageError:
        return UsageError(f"the map names nothing: {reason}", where=_where(self.path, word))


def read_declaration(path: Path) -> Declaration:
    """Read a map's file. Raises UsageError with file and line for one that cannot be used."""
    try:
        told = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        reason = f"the map cannot be read: {error.strerror}"
        raise UsageError(reason, where=str(path), hint="name a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the map is not TOML: {error}", where=str(path)) from None
    for key in told:
        if key not in TABLES:
            reason = f"{key!r} is no table of a map; it has {', '.join(TABLES)}"
            raise UsageError(reason, where=_where(path, key))
    made = Declaration(
        path,
        {
            _name(old, path): _name(_text(new, old, path), path)
            for old, new in _table(told.get("relations", {}), "relations", path).items()
        },
        {_name(n, path): _pairs(v, n, path) for n, v in _nested(told, "columns", path)},
        {
            _name(name, path): {column: _pairs(v, column, path) for column, v in table.items()}
            for name, table in _nested(told, "values", path)
        },
        _pairs(told.get("same", {}), "same", path),
    )
    if not (made.relations or made.columns or made.values or made.same):
        raise UsageError("the map names nothing: it has no entry", where=str(path))
    return made


def describe_map(renames: RenameMap) -> dict[str, Any]:
    """What is called otherwise, in the form of a map's file; and `unclear`, what must be said."""
    relations: dict[str, str] = {}
    columns: dict[str, dict[str, str]] = {}
    values: dict[str, dict[str, dict[str, str]]] = {}
    unclear: dict[str, str] = {}
    for change in renames.changes.values():
        name = str(change.old.name)
        if change.rival is not None and change.new is not None:
            unclear[name] = f"{change.new.name} by identity, {change.rival} by name"
        elif change.new is not None and change.new.name != change.old.name:
            relations[name] = str(change.new.name)
        found = {o: n for o, n in change.columns.items() if o != n or o in change.values}
        if found:
            columns[name] = found
        pairs = {column: dict(one.pairs) for column, one in change.values.items() if one.pairs}
        if pairs:
            values[name] = pairs
        for column, (number, word) in change.contested.items():
            unclear[f"{name}.{column}"] = f"{number} by number, {word} by name"
    return {"relations": relations, "columns": columns, "values": values, "unclear": unclear}


def write_map(described: Mapping[str, Any]) -> str:
    """A described map as the text of a map's file; what is unclear is a comment."""
    lines = [f"# say which: {name}: {said}" for name, said in described["unclear"].items()]
    lines += ["[relations]"]
    lines += [f"{_key(old)} = {_key(new)}" for old, new in described["relations"].items()]
    for name, pairs in described["columns"].items():
        lines += ["", f"[columns.{_key(name)}]"]
        lines += [f"{_key(old)} = {_key(new)}" for old, new in pairs.items()]
    for name, columns in described["values"].items():
        for column, pairs in columns.items():
            lines += ["", f"[values.{_key(name)}.{_key(column)}]"]
            lines += [f"{_key(old)} = {_key(new)}" for old, new in sorted(pairs.items())]
    return "\n".join(lines) + "\n"


def _key(name: object) -> str:
    return json.dumps(str(name), ensure_ascii=False)


def _merged(first: Mapping[Any, Any], second: Mapping[Any, Any]) -> dict[Any, dict[str, str]]:
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in {**first, **second}}


def _nested(told: Mapping[str, Any], key: str, path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    table = _table(told.get(key, {}), key, path)
    return [(name, _table(one, name, path)) for name, one in table.items()]


def _table(value: Any, key: str, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{key!r} should be a table", where=_where(path, key))
    return value


def _pairs(value: Any, key: str, path: Path) -> dict[str, str]:
    return {old: _text(new, old, path) for old, new in _table(value, key, path).items()}


def _text(value: Any, key: str, path: Path) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{key!r} should be a text", where=_where(path, key))
    return value


def _name(text: str, path: Path) -> RelationName:
    schema, dot, name = text.partition(".")
    if not (schema and dot and name):
        reason = f"{text!r} should be schema.relation, without quotes in it"
        raise UsageError(reason, where=_where(path, text))
    return RelationName(schema, name)


def _where(path: Path | None, word: str) -> str:
    """The file and the line of the first mention of a word."""
    if path is None:
        return "the map"
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return str(path)
    number = next((n for n, line in enumerate(lines, 1) if word in line), 1)
    return f"{path}:{number}"
