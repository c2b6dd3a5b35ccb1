"""The relations that hold rows, and the SQL that hashes a row to the text of every value.

The hash is not one of the row's own text: quoting every character of it costs as much as hashing.
All values whose output never holds our control characters are joined, with a mark in the place of a
NULL; then each text is hashed with the hash so far as its seed, so that no border between two can
move. The server's hash functions for integers and timestamps are not used: they fold eight bytes
into four, and 1 is then 4294967296.
"""

# ruff: noqa: S608 - the names in these statements come quoted from the server's own catalog
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.core.errors import Refused
from harness.database.fingerprint.encoding import literal
from harness.database.fingerprint.session import MAY_READ, Connection

SQL: Final = Path(__file__).parent / "sql"
LARGE_OBJECTS: Final = "pg_catalog.pg_largeobject"
_ALONE: Final = 1 << 40
"""A size that gets a relation a statement of its own."""
PRELUDE: Final = (SQL / "prelude.sql").read_text()
_SEPARATOR: Final = r"E'\x01'"
_NULL: Final = r"\x02"
_CONCAT_ARGUMENTS: Final = 99
"""A function takes at most 100 arguments, the separator is one."""


@dataclass(frozen=True)
class HashedColumn:
    """A column: its quoted name and how its value is written exactly (see layout.sql)."""

    name: str
    form: str
    integer: bool

    @property
    def is_text(self) -> bool:
        """Whether the value may be any text, so that only its length bounds it."""
        return self.form in ("text", "padded", "enum", "other")

    @property
    def value(self) -> str:
        """SQL for the value of column of row `t`, a text or to be put in concat_ws()."""
        name = f"t.{self.name}"
        forms = {
            "text": f'{name}::text collate "C"',
            "padded": f'textin(bpcharout({name})) collate "C"',
            # never a cast: a person may have made one, which says something else or raises
            "enum": f'textin(enum_out({name})) collate "C"',
            "other": f'case when num_nulls({name}) = 0 then concat({name}) end collate "C"',
            "timestamp": f"timestamp_send({name})",
            "timestamptz": f"timestamptz_send({name})",
            "plain": name,
            "presence": "''",  # only whether there is a value is compared
        }
        return forms[self.form]

    @property
    def absent(self) -> str:
        """SQL for whether the value is NULL; a composite of NULLs is not."""
        name = f"t.{self.name}"
        return f"num_nulls({name}) = 1" if self.form == "other" else f"{name} is null"

    @property
    def quoted(self) -> str:
        """SQL for the value in JSON; never by a cast that a person made, which may raise."""
        value = self.value if self.is_text else f"t.{self.name}"
        return f"to_json({value})"

    def hash(self, seed: int) -> str:
        """SQL for a 64-bit hash of the value; NULL and the empty text differ."""
        text = self.value if self.is_text else f'concat({self.value}) collate "C"'
        return f"coalesce(hashtextextended({text}, {seed}), 0)"


@dataclass(frozen=True)
class HashedTable:
    """A relation that holds rows. Names are qualified and quoted; `blocks` is its main fork.

    Of an extension's table only the rows count that it declares to be the database's own.
    """

    name: str
    divisible: bool
    blocks: int
    size: int
    columns: tuple[HashedColumn, ...]
    key: tuple[str, ...]
    source: str
    """SQL for the rows to read."""

    def without(self, columns: Mapping[str, str]) -> HashedTable:
        """The table with columns left out ("whole"), or compared only as to whether they have a
        value ("value").
        """
        kept = [column for column in self.columns if columns.get(column.name) != "whole"]
        return replace(
            self,
            columns=tuple(
                HashedColumn(column.name, "presence", False) if column.name in columns else column
                for column in kept
            ),
        )

    @property
    def integer_key(self) -> bool:
        """Whether the primary key is one integer, which then stands for itself in sums."""
        return len(self.key) == 1 and any(c.name == self.key[0] and c.integer for c in self.columns)

    @property
    def key_text(self) -> str:
        """SQL for the primary key as a person writes it: id=5, or name="x", n=2."""
        columns = {column.name: column for column in self.columns}
        parts = (
            f"{literal(f', {name}=' if place else f'{name}=')}, {columns[name].quoted}"
            for place, name in enumerate(self.key)
        )
        return f"concat({', '.join(parts)})"

    @property
    def texts(self) -> list[HashedColumn]:
        """The columns that may hold any text."""
        return [column for column in self.columns if column.is_text]

    def row_hash(self, seed: int) -> str:
        """SQL for a 64-bit hash of row `t`, exact to the text of every value."""
        hashed = f'hashtextextended({self._others()} collate "C", {seed})'
        for column in self.texts:
            hashed = f"hashtextextended(coalesce({column.value}, ''), {hashed})"
        return hashed

    def rows(self, where: str = "true", *, seed: int, more: str = "") -> str:
        """A subquery of the rows that `where` selects: `h`, the row's hash, and `more` columns.

        OFFSET 0 keeps the planner from computing the hash again wherever it is used.
        """
        return (
            f"(select {self.row_hash(seed)} as h{more} from {self.source} t where {where} offset 0)"
        )

    def _others(self) -> str:
        """Every value that is no text, and for every text that is NULL a mark with its number."""
        arguments = []
        for column in self.columns:
            if not column.is_text:
                arguments.append(column.value)
                if column.name not in self.key:
                    arguments.append(f"case when {column.absent} then E'{_NULL}' end")
        for place, column in enumerate(self.texts):
            arguments.append(f"case when {column.absent} then E'{_NULL}{place}' end")
        return _joined(arguments)


def read_names(conn: Connection) -> list[str]:
    """The names of the tables that hold rows and can be locked."""
    query = f"{PRELUDE} select name from relation where relkind = 'r' order by 1"
    return [name for (name,) in conn.execute(query.encode())]


def refuse_unreadable(conn: Connection, *, rows: bool = True) -> None:
    """Refused if this session may or can not read what a fingerprint reads; `rows`: tables too."""
    query = f"{PRELUDE}{(SQL / 'unreadable.sql').read_text()}"
    found = [
        (name, reason)
        for name, is_sequence, reason in conn.execute(query.encode())
        if rows or is_sequence
    ]
    if not found:
        return
    name, reason = found[0]
    others = f"; so it is with {len(found) - 1} more" if len(found) > 1 else ""
    raise Refused(
        f"{name} cannot be read: {reason}{others}",
        hint="take the fingerprint on the primary, or make it logged"
        if "standby" in reason
        else MAY_READ,
    )


def read_layout(conn: Connection) -> list[HashedTable]:
    """The relations that hold rows, largest first."""
    rows = conn.execute(f"{PRELUDE}{(SQL / 'layout.sql').read_text()}".encode()).fetchall()
    return _large_objects(conn) + [
        HashedTable(
            name,
            divisible,
            blocks,
            size,
            tuple(HashedColumn(*column) for column in json.loads(columns)),
            tuple(json.loads(key)),
            # of an extension's table what pg_dump reads
            f"only {name}" if condition is None else f"(select * from only {name} {condition})",
        )
        for name, divisible, blocks, size, columns, key, condition in rows
    ]


def _large_objects(conn: Connection) -> list[HashedTable]:
    """The large objects as a relation of their own, where there are any: by number and contents."""
    row = conn.execute("select exists (select from pg_largeobject_metadata)").fetchone()
    if row is None or not row[0]:
        return []
    columns = (
        HashedColumn("oid", "plain", integer=True),
        HashedColumn("content", "plain", integer=False),
    )
    source = f"({(SQL / 'large_objects.sql').read_text()})"
    return [HashedTable(LARGE_OBJECTS, False, 0, _ALONE, columns, ("oid",), source)]


def _joined(arguments: list[str]) -> str:
    """SQL for the arguments' texts with separators; one that is NULL is left out."""
    while len(arguments) > _CONCAT_ARGUMENTS:
        first, rest = arguments[:_CONCAT_ARGUMENTS], arguments[_CONCAT_ARGUMENTS:]
        arguments = [_joined(first), *rest]
    return f"concat_ws({', '.join([_SEPARATOR, *arguments])})" if arguments else "''"
