"""Tampering: rows changed behind the runner's back, bits flipped on disk, files edited."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from harness.database import admin

BLOCK = 8192
PAGE_HEADER = 24


@dataclass(frozen=True)
class Stored:
    """Where a row is kept: a file below the data directory, its block, and its line there."""

    file: str
    block: int
    line: int


@dataclass(frozen=True)
class Flip:
    """A bit that was flipped: where in its file, and where in the stored row."""

    file: str
    offset: int
    byte: int
    bit: int

    def __str__(self) -> str:
        return f"bit {self.bit} of byte {self.byte} of the row, at {self.offset} in {self.file}"


def stored(dsn: str, table: sql.Composable, where: sql.Composable) -> Stored:
    """Where the one row of a table is kept."""
    with admin.connection(dsn) as conn:
        query = sql.SQL(
            "select pg_relation_filepath({}::regclass), ctid::text from {} where {}"
        ).format(sql.Literal(table.as_string(conn)), table, where)
        rows = conn.execute(query).fetchall()
    assert len(rows) == 1, "one row was meant"
    block, line = str(rows[0][1]).strip("()").split(",")
    return Stored(str(rows[0][0]), int(block), int(line))


def flip_bit(data_dir: Path, row: Stored, part: int, parts: int) -> Flip:
    """Flip a bit of a stored row, the first of its `part`-th part; the server must be stopped."""
    path = data_dir / row.file
    data = bytearray(path.read_bytes())
    page = row.block * BLOCK
    (pointer,) = struct.unpack_from("=I", data, page + PAGE_HEADER + 4 * (row.line - 1))
    start, length = pointer & 0x7FFF, pointer >> 17
    position = length * 8 * part // parts
    byte, bit = divmod(position, 8)
    offset = page + start + byte
    data[offset] ^= 1 << bit
    path.write_bytes(data)
    return Flip(row.file, offset, byte, bit)


def execute(dsn: str, *statements: str | sql.Composable) -> int:
    """Run statements past every trigger and foreign key; the rows that the last one changed."""
    changed = 0
    with admin.connection(dsn) as conn, conn.transaction():
        conn.execute("set local session_replication_role = 'replica'")
        for statement in statements:
            query = statement.encode() if isinstance(statement, str) else statement
            changed = conn.execute(query).rowcount  # type: ignore[arg-type]
    return changed


def edit(path: Path) -> None:
    """Change a file so that it still reads as before."""
    path.write_text(path.read_text("utf-8") + "\n-- edited by somebody else\n", "utf-8")


def swap_numbers(one: Path, other: Path) -> tuple[Path, Path]:
    """Let two files of a directory, named by number and name, change numbers; their new paths."""
    first, second = (path.name.split("_", 1) for path in (one, other))
    moved = (one.with_name(f"{second[0]}_{first[1]}"), other.with_name(f"{first[0]}_{second[1]}"))
    for path, to in zip((one, other), moved, strict=True):
        path.rename(to)
    return moved
