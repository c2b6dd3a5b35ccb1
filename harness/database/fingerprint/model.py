"""What a fingerprint is, and what a difference between two of them is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, TypedDict

Kind: TypeAlias = Literal["catalog", "security", "data", "sequences"]
Objects: TypeAlias = Mapping[str, str]
"""Object -> its attributes, as JSON text."""

FORMAT: Final = 2
"""Counts up whenever what is compared changes: digests of two formats are not held together."""
LONG = 120
"""A value longer than this is cut in a message; a `Difference` keeps it whole."""


class RelationSum(TypedDict):
    """A relation's rows: how many, and the order-free sum of their 128-bit hashes."""

    rows: int
    digest: str


class SequenceValue(TypedDict):
    """Where a sequence stands: the next number is `last_value` plus `increment` when called."""

    last_value: int
    is_called: bool
    increment: int


@dataclass(frozen=True)
class Sketch:
    """A relation's rows in groups by key, summed so that single changed rows can be named.

    `groups`: group -> [rows, sum of keys, sum of hashes, sum of key * hash, a sum per column].
    `keys`: key number -> key, for relations whose key is not one integer and that are small enough.
    """

    key: str
    columns: tuple[str, ...]
    groups: Mapping[str, list[int]]
    keys: Mapping[str, str]
    version: int = 1  # of the sums; a file that does not say it was saved by an earlier harness


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """The identity of a database at one moment. Equal when the four digests are equal."""

    catalog: str
    security: str
    data: str
    sequences: str
    relations: Mapping[str, RelationSum]
    objects: Mapping[str, Objects]
    sequence_values: Mapping[str, SequenceValue]
    remnants: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sketches: Mapping[str, Sketch] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    server_version: int = 0
    format: int = FORMAT
    excluded_relations: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """The four digests, the whole of what `==` compares."""
        return (self.catalog, self.security, self.data, self.sequences)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)


@dataclass(frozen=True)
class Difference:
    """One thing that differs: an object's attribute, or a table's row (`key`) and its column.

    `before` and `after` are None where there is no such value, or where only hashes were kept.
    """

    kind: Kind
    object: str
    attribute: str
    before: str | None
    after: str | None
    key: str | None = None
    note: str = ""

    def __str__(self) -> str:
        where = f"{self.object} {self.key}" if self.key else self.object
        text = f"{self.kind}: {where}: {self.attribute}"
        if self.before is not None or self.after is not None:
            text += f" was {_short(self.before)}, is {_short(self.after)}"
        return f"{text} ({self.note})" if self.note else text


def _short(value: str | None) -> str:
    if value is None:
        return "nothing"
    shown = value if len(value) <= LONG else f"{value[:LONG]}…"
    return json.dumps(shown, ensure_ascii=False)


def digest(lines: Iterable[tuple[Any, ...]]) -> str:
    """A SHA-256 of lines of fields, none of which can be mistaken for two."""
    state = hashlib.sha256()
    for fields in lines:
        state.update(json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogateescape"))
        state.update(b"\n")
    return state.hexdigest()


def digest_of_objects(objects: Objects) -> str:
    """The digest of objects and their attributes, whatever order they were read in."""
    return digest(sorted(objects.items()))


def digest_of_relations(relations: Mapping[str, RelationSum]) -> str:
    """The digest of every relation's rows."""
    return digest((name, r["rows"], r["digest"]) for name, r in sorted(relations.items()))


def digest_of_sequences(values: Mapping[str, SequenceValue]) -> str:
    """The digest of where the sequences stand, strictly."""
    return digest((name, v["last_value"], v["is_called"]) for name, v in sorted(values.items()))
