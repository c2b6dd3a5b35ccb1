"""Processes of clients: started together, stopped in order, their records gathered."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from harness.core.child import dies_with_us
from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until
from harness.server.secrets import redact
from harness.traffic.client import GO_ON, HOLD, ClientOrders
from harness.traffic.history import (
    AnyRecord,
    Census,
    InvariantCount,
    Operation,
    WorkloadSession,
    row_told,
)
from harness.traffic.mix import TrafficMix

PROCESSES: Final = 2
CLIENTS: Final = 4  # of a process: sessions that wait do not keep the others from sending
START: Final = 60.0
STOP: Final = 60.0
LEAD: Final = 0.05
KEYS: Final = 400  # rows of a table that the clients know to begin with


@dataclass(frozen=True)
class WorkloadSettings:
    """How many operations a second, by how many clients, from which seed; `delay` is a defect.

    With `closed` each client sends as soon as it has its answer: reads and writes are a proportion.
    """

    reads: float
    writes: float
    seed: str = "1"
    processes: int = PROCESSES
    clients: int = CLIENTS
    closed: bool = False
    delay: float = 0.0

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.reads + self.writes

    def scaled(self, factor: float) -> WorkloadSettings:
        """The same mix at another rate."""
        return replace(self, reads=self.reads * factor, writes=self.writes * factor)


@dataclass
class Workload:
    """Clients at work; `stop` ends them and gives what they recorded."""

    processes: Sequence[subprocess.Popen[bytes]]
    paths: Sequence[Path]
    begin: float

    def hold_inserts(self, held: bool) -> None:
        """Have the clients insert nothing more, or go on; they read and update all the time."""
        for process in self.processes:
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.write(HOLD if held else GO_ON)
                process.stdin.flush()

    def stop(self) -> list[AnyRecord]:
        """End the clients after their last answer; their records, in no order.

        Raises InfrastructureError where a process of theirs failed.
        """
        for process in self.processes:
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.close()
        said = [_ended(process) for process in self.processes]
        if any(said):
            raise _failure(next(filter(None, said)))
        return [record for path in self.paths for record in read_records(path)]

    def close(self) -> None:
        """Kill what still runs; may be called twice."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stderr):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()


def _failure(said: str) -> InfrastructureError:
    return InfrastructureError(
        f"the clients of the workload failed: {redact(said)}",
        hint="look at the role and the settings of the traffic, and at the load of the machine",
    )


def _ended(process: subprocess.Popen[bytes]) -> str:
    """What a process said when it failed; empty where it ended well."""
    try:
        status = process.wait(STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return f"a client got no answer for {STOP:g} s"
    assert process.stderr is not None
    lines = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
    return (lines[-1] if lines else f"status {status}") if status else ""


def read_records(path: Path) -> list[AnyRecord]:
    """The records that a process of clients wrote."""
    decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
    return decoder.decode_lines(path.read_bytes()) if path.exists() else []


@contextmanager
def workload(
    dsn: str, mix: TrafficMix, keys: Mapping[str, tuple[str, ...]], settings: WorkloadSettings,
    place: Path, *, first: int = 1,
) -> Iterator[Workload]:  # fmt: skip
    """Clients at work on a database; they write below `place`. All are connected when it yields."""
    begin = time.monotonic() + LEAD
    started: list[subprocess.Popen[bytes]] = []
    paths: list[Path] = []
    running = Workload(started, paths, begin)
    try:
        for process in range(settings.processes):
            path = place / f"clients-{first}-{process}.jsonl"
            orders = ClientOrders(
                dsn=str(dsn), path=str(path), number=first + process * settings.clients,
                clients=settings.clients, reads=settings.reads / settings.processes,
                writes=settings.writes / settings.processes, seed=f"{settings.seed}-{first}",
                begin=begin, operations=mix.operations, keys=keys, role=mix.role,
                settings=dict(mix.settings), closed=settings.closed, delay=settings.delay,
            )  # fmt: skip
            started.append(_started(orders))
            paths.append(path)
        everyone = settings.processes * settings.clients
        try:
            wait_until(lambda: _connected(running, everyone), START, "the clients to connect")
        except TimeoutError as error:
            raise _failure(str(error)) from error
        yield running
    finally:
        running.close()


def _started(orders: ClientOrders) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.traffic.client"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True, preexec_fn=dies_with_us(),
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(orders) + b"\n")
    process.stdin.flush()
    return process


def _connected(running: Workload, everyone: int) -> bool:
    for process in running.processes:
        if process.poll() is not None:
            said = _ended(process)
            raise _failure(said)
    found = sum(
        path.read_bytes().count(b'"type":"session"') for path in running.paths if path.exists()
    )
    return found >= everyone


def take_census(
    conn: psycopg.Connection[Any], mix: TrafficMix, moment: str
) -> tuple[list[Census], dict[str, str]]:
    """All rows of the mix's tables, each table by one statement; and why some could not be read."""
    found, failed = [], {}
    with conn.transaction():
        for table, query in mix.census.items():
            sent = time.monotonic()
            try:
                with conn.transaction():
                    rows = conn.execute(query.encode(), {}).fetchall()
            except psycopg.Error as error:
                failed[table] = " ".join(str(error).split())
                continue
            answered = time.monotonic()
            pairs = tuple(row_told(row) for row in rows)
            found.append(
                Census(moment=moment, table=table, sent=sent, answered=answered, rows=pairs)
            )
    return found, failed


def count_invariants(
    conn: psycopg.Connection[Any], mix: TrafficMix, moment: str
) -> list[InvariantCount]:
    """How many rows break each rule of the mix; None where a rule cannot be asked."""
    found = []
    for name, query in mix.invariants.items():
        try:
            with conn.transaction():
                rows = conn.execute(query.encode(), {}).fetchall()
        except psycopg.Error as error:
            said = " ".join(str(error).split())
            found.append(InvariantCount(moment=moment, name=name, rows=None, example=said))
            continue
        example = ", ".join(str(part) for part in rows[0]) if rows else ""
        found.append(InvariantCount(moment=moment, name=name, rows=len(rows), example=example))
    return found


def known_keys(censuses: Sequence[Census], most: int = KEYS) -> dict[str, tuple[str, ...]]:
    """Some rows of each table, evenly over all of them, for the clients to begin with."""
    keys = {}
    for census in censuses:
        step = max(1, len(census.rows) // most)
        keys[census.table] = tuple(key for key, _ in census.rows[::step][:most])
    return keys


def operations_of(records: Sequence[AnyRecord]) -> list[Operation]:
    """The operations among records, in the order in which they were sent."""
    found = [record for record in records if isinstance(record, Operation)]
    return sorted(found, key=lambda operation: operation.sent)


def sessions_of(records: Sequence[AnyRecord]) -> list[WorkloadSession]:
    """The sessions among records, by their time."""
    found = [record for record in records if isinstance(record, WorkloadSession)]
    return sorted(found, key=lambda session: session.since)
