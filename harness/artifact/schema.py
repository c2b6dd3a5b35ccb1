"""The relations of a database as a query sees them: names, columns, and where a name is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class RelationName(NamedTuple):
    """A relation's schema and name."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class SeenRelation:
    """A relation with its columns in their order; `oid` and `numbers` tell what stayed itself."""

    name: RelationName
    columns: tuple[str, ...]
    oid: int = 0
    kind: str = "r"
    numbers: tuple[int, ...] = ()
    key: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] | None = None
    """The labels of every column whose type is an enum."""


@dataclass(frozen=True)
class SeenSchema:
    """Every relation by its name, and the schemas in which an unqualified name is looked for."""

    relations: Mapping[RelationName, SeenRelation]
    path: tuple[str, ...]

    @classmethod
    def of(cls, relations: Iterable[SeenRelation], path: Iterable[str]) -> SeenSchema:
        """The schema that these relations are."""
        return cls({one.name: one for one in relations}, tuple(path))

    def find(self, schema: str | None, name: str) -> SeenRelation | None:
        """The relation that a name means here; None for one that is not known."""
        for place in (schema,) if schema else self.path:
            found = self.relations.get(RelationName(place, name))
            if found is not None:
                return found
        return None
