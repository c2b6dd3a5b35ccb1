"""What the clients of a workload do: statements with a key and a value, and how often each is done.

A project gives its mix with its particulars:

    shop = Particulars(traffic=TrafficMix(
        operations=(
            TrafficOperation("read_order", "read", "shop.orders",
                "SELECT id::text, note FROM shop.orders WHERE id = %(key)s::bigint", 3),
            TrafficOperation("edit_order", "update", "shop.orders",
                "UPDATE shop.orders SET note = %(value)s WHERE id = %(key)s::bigint"
                " RETURNING id::text, note"),
        ),
        census={"shop.orders": "SELECT id::text, note FROM shop.orders"},
    ))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from harness.core.errors import UsageError
from harness.traffic.history import OperationKind

KINDS: Final = ("insert", "update", "delete", "read")


@dataclass(frozen=True)
class TrafficOperation:
    """A statement that gives the key and the value of the row it read or changed, as two texts.

    It takes `%(key)s`, an insert `%(value)s` (and `%(key)s`, of a row that is there, if it wants
    one), an update both. The value is a new one each time. `weight` is its share of the reads, or
    of the writes.
    """

    name: str
    kind: OperationKind
    table: str
    sql: str
    weight: int = 1

    @property
    def reads(self) -> bool:
        """Whether it only reads."""
        return self.kind == "read"


@dataclass(frozen=True)
class TrafficMix:
    """The operations, and for each of their tables a query of all its rows: key and value.

    `invariants` are queries of rows that may not be: their names say the rule. `role` and
    `settings` are what a client takes on after it connected. `promised` says that old clients were
    promised these statements before, during and after; a mix made from the catalog promises none.
    `retried` are SQLSTATEs at which they were told to repeat an operation. `after` is what new
    clients do, from the way forward on: it names things as they are then, and `table` as before,
    so that what new clients wrote is looked for there after the way back.
    """

    operations: tuple[TrafficOperation, ...]
    census: Mapping[str, str]
    invariants: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    promised: bool = True
    retried: tuple[str, ...] = ()
    after: tuple[TrafficOperation, ...] = ()

    @property
    def writes(self) -> tuple[TrafficOperation, ...]:
        """The operations that write."""
        return tuple(one for one in self.operations if not one.reads)

    @property
    def reads(self) -> tuple[TrafficOperation, ...]:
        """The operations that only read."""
        return tuple(one for one in self.operations if one.reads)

    @property
    def of_new_clients(self) -> TrafficMix:
        """What new clients do, on the same tables."""
        return replace(self, operations=self.after, after=())

    def refuse_flawed(self, where: str) -> None:
        """Raise UsageError where no client can do what it says."""
        for name in {one.name for one in self.operations} & {one.name for one in self.after}:
            raise UsageError(
                f"operation {name!r} is one of the old clients and of the new ones",
                where=where,
                hint="give it another name in `after`",
            )
        for one in (*self.operations, *self.after):
            if one.kind not in KINDS:
                raise UsageError(
                    f"operation {one.name!r} is of kind {one.kind!r}",
                    where=where,
                    hint=f"use one of {', '.join(KINDS)}",
                )
            if one.table not in self.census:
                raise UsageError(
                    f"operation {one.name!r} is on {one.table!r}, which has no census",
                    where=where,
                    hint="give a query of the key and the value of all its rows",
                )
            if one.weight < 1:
                raise UsageError(f"operation {one.name!r} has weight {one.weight}", where=where)
        writes = self.of_new_clients.writes
        if writes and all(one.kind == "delete" for one in writes):
            raise UsageError(
                "the new clients delete, and none of their operations inserts",
                where=where,
                hint="a client deletes only the rows that it inserted; give it something to insert",
            )
        if all(one.kind == "delete" for one in self.writes):
            raise UsageError(
                "no operation of the traffic inserts or updates",
                where=where,
                hint="a client deletes only the rows that it inserted; give it something to write",
            )
