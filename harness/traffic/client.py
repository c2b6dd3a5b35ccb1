"""A process of clients: `python -m harness.traffic.client`, its orders on standard input.

The first line of the input is a `ClientOrders` as JSON; the clients work until the input ends. A
byte `HOLD` on it stops their inserts, a byte `GO_ON` lets them go on.
Each is a thread with a session of its own that lives as long as it can, and prepares what it sends.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from harness.core.sqlstate import (
    CONNECTION_EXCEPTION,
    CONNECTION_FAILURE,
    CONNECTION_LOST,
    FEATURE_NOT_SUPPORTED,
)
from harness.traffic.history import (
    AnyRecord,
    Operation,
    Row,
    WorkloadSession,
    encode_records,
    row_told,
)
from harness.traffic.mix import TrafficOperation
from harness.traffic.schedule import planned_times

FLUSH: Final = 0.5  # seconds between writes to the file
RECONNECT: Final = 0.05
HOLD: Final = b"h"
GO_ON: Final = b"g"
RECENT: Final = 20  # rows that a client wrote last, which it reads again


class ClientOrders(msgspec.Struct, frozen=True, kw_only=True):
    """What a process of clients is told. `keys` are rows to begin with, by table.

    `number` is that of the first client; each of `clients` does its share of the rates. `begin` is
    a moment of the monotonic clock. `closed` says that an operation is due as soon as the one
    before is answered; the rates are then only the proportion of reads and writes.
    """

    dsn: str
    path: str
    number: int
    clients: int
    reads: float
    writes: float
    seed: str
    begin: float
    operations: tuple[TrafficOperation, ...]
    keys: Mapping[str, tuple[str, ...]]
    role: str | None = None
    settings: Mapping[str, str] = {}
    closed: bool = False
    delay: float = 0.0
    """Seconds that a client sleeps before it sends: how a slow sender is planted."""


@dataclass
class RecordFile:
    """Records of several threads, written to a file from time to time."""

    path: Path
    _waiting: list[AnyRecord] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, record: AnyRecord) -> None:
        """Take a record."""
        with self._lock:
            self._waiting.append(record)

    def flush(self) -> None:
        """Write what was taken since."""
        with self._lock:
            records, self._waiting = self._waiting, []
        with self.path.open("ab") as file:
            file.write(encode_records(records))


@dataclass
class Client:
    """One user: a schedule, a session, the rows it knows."""

    number: int
    orders: ClientOrders
    file: RecordFile
    stop: threading.Event
    held: threading.Event
    conn: psycopg.Connection[Any] | None = None
    count: int = 0
    recent: dict[str, list[str]] = field(default_factory=dict)
    own: dict[str, list[str]] = field(default_factory=dict)
    failed: str = ""

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.orders.seed}/{self.number}")  # noqa: S311 - a seed

    def work(self) -> None:
        """Do what is due until told to stop; a client that cannot go on stops all, and says why."""
        try:
            self._work()
        except Exception as error:  # a thread that dies unheard would be a calm client
            self.failed = f"{type(error).__name__}: {error}"
            self.stop.set()

    def _work(self) -> None:
        self._connect()
        for planned in self._due():
            if self.stop.wait(max(0.0, planned - time.monotonic())):
                break
            self._do(planned)
        if self.conn is not None:
            self.conn.close()

    def _due(self) -> Iterator[float]:
        """The moments at which operations are due, without end."""
        orders = self.orders
        if not orders.closed:
            rate = (orders.reads + orders.writes) / orders.clients
            yield from planned_times(rate, orders.begin, f"{orders.seed}/{self.number}")
        yield orders.begin
        while True:
            yield time.monotonic()

    def _do(self, planned: float) -> None:
        if self.conn is None:
            self._connect()
        if self.conn is None:
            return
        if self.orders.delay:
            time.sleep(self.orders.delay)
        operation = self._chosen()
        if operation is None:
            return
        key, value = self._arguments(operation)
        sent = time.monotonic()
        rows, sqlstate, lost = self._ask(self.conn, operation, key, value)
        answered = time.monotonic()
        outcome: Any = "unknown" if lost else "refused" if sqlstate else "acknowledged"
        self.file.add(
            Operation(
                client=self.number, name=operation.name, kind=operation.kind,
                table=operation.table, key="" if operation.kind == "insert" else key, value=value,
                planned=planned, sent=sent, answered=None if lost else answered,
                outcome=outcome, sqlstate=sqlstate, rows=rows,
            )
        )  # fmt: skip
        self._learn(operation, key, rows, outcome)
        # a prepared statement whose result changed its type stays refused in its session
        if lost or sqlstate == FEATURE_NOT_SUPPORTED:
            self.conn.close()
            self.conn = None

    def _ask(
        self,
        conn: psycopg.Connection[Any],
        operation: TrafficOperation,
        key: str,
        value: str | None,
    ) -> tuple[tuple[Row, ...], str, bool]:
        """The rows, or the SQLSTATE of the refusal, and whether the session was lost."""
        try:
            answer = conn.execute(
                operation.sql.encode(), {"key": key, "value": value}, prepare=True
            )
            rows = answer.fetchall() if answer.description else []
        except psycopg.Error as error:
            if error.sqlstate is None and not conn.closed:
                raise  # the statement was never sent: a mistake in the mix
            state = error.sqlstate or CONNECTION_FAILURE
            lost = conn.closed or state in CONNECTION_LOST or state.startswith(CONNECTION_EXCEPTION)
            return (), state, lost
        return tuple(row_told(row) for row in rows), "", False

    def _chosen(self) -> TrafficOperation | None:
        """What to do next; None where inserts are held and there is nothing else to do."""
        orders = self.orders
        total = orders.reads + orders.writes
        reads = self._chance.random() * total < orders.reads
        usable = [
            one
            for one in orders.operations
            if (one.kind != "delete" or self.own.get(one.table))
            and not (one.kind == "insert" and self.held.is_set())
        ]
        if not usable:
            return None
        fitting = [one for one in usable if one.reads == reads] or usable
        return self._chance.choices(fitting, [one.weight for one in fitting])[0]

    def _arguments(self, operation: TrafficOperation) -> tuple[str, str | None]:
        """The key and the value; what a client deletes is a row that it made, and nobody else's."""
        value = None
        if operation.kind in ("insert", "update"):
            self.count += 1
            value = f"w{self.number}-{self.count}-{self.orders.seed}"
        if operation.kind == "delete":
            return self.own[operation.table].pop(), value
        recent = self.recent.get(operation.table)
        if operation.reads and recent and self._chance.random() < 0.5:
            return self._chance.choice(recent), value
        keys = self.orders.keys.get(operation.table) or ("0",)
        return self._chance.choice(keys), value

    def _learn(
        self, operation: TrafficOperation, key: str, rows: Sequence[Row], outcome: str
    ) -> None:
        if operation.reads or outcome != "acknowledged" or not rows:
            return
        if operation.kind == "insert":
            key = rows[0][0]
            self.own.setdefault(operation.table, []).append(key)
        recent = self.recent.setdefault(operation.table, [])
        recent.append(key)
        del recent[:-RECENT]

    def _connect(self) -> None:
        """Open a session; None for as long as the server does not answer and nobody says stop."""
        while not self.stop.is_set():
            try:
                self.conn = self._session()
            except psycopg.OperationalError:
                self.stop.wait(RECONNECT)
                continue
            except psycopg.Error as error:  # a role or a setting that is not there stays away
                self.failed = " ".join(str(error).split())
                self.stop.set()
                return
            since, pid = time.monotonic(), self.conn.info.backend_pid
            self.file.add(WorkloadSession(client=self.number, since=since, pid=pid))
            return

    def _session(self) -> psycopg.Connection[Any]:
        conn = psycopg.connect(
            self.orders.dsn, autocommit=True, connect_timeout=10,
            application_name=f"client {self.number}",
        )  # fmt: skip
        try:
            for name, value in self.orders.settings.items():
                conn.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
            if self.orders.role:
                conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.orders.role)))
        except BaseException:
            conn.close()
            raise
        return conn


def work(orders: ClientOrders, stop: threading.Event, held: threading.Event) -> str:
    """Let all clients of the orders work until told to stop; why they could not, or nothing."""
    file = RecordFile(Path(orders.path))
    clients = [
        Client(orders.number + place, orders, file, stop, held) for place in range(orders.clients)
    ]
    threads = [threading.Thread(target=client.work, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    while not stop.wait(FLUSH):
        file.flush()
    for thread in threads:
        thread.join()
    file.flush()
    return next((client.failed for client in clients if client.failed), "")


def _until_input_ends(told: bytes, stop: threading.Event, held: threading.Event) -> None:
    while True:
        if told.endswith(HOLD):
            held.set()
        elif told.endswith(GO_ON):
            held.clear()
        told = os.read(0, 4096)  # not sys.stdin: its lock would be held when the process ends
        if not told:
            stop.set()
            return


def _first_line() -> tuple[bytes, bytes]:
    """The orders, and what was read behind them."""
    line = b""
    while b"\n" not in line:
        more = os.read(0, 65536)
        if not more:
            sys.exit("no orders on standard input")
        line += more
    orders, _, told = line.partition(b"\n")
    return orders, told


def main() -> None:
    """Read the orders, work, and end with the input."""
    sys.setswitchinterval(0.0005)  # a thread that is due is not to wait 5 ms for another one
    line, told = _first_line()
    orders = msgspec.json.decode(line, type=ClientOrders)
    stop, held = threading.Event(), threading.Event()
    threading.Thread(target=_until_input_ends, args=(told, stop, held), daemon=True).start()
    if why := work(orders, stop, held):
        sys.exit(why)


if __name__ == "__main__":
    main()
