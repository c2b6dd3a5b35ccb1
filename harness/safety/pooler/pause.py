"""Databases of PgBouncer, paused for the length of a run: by a process that outlives us."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from harness.core import errors
from harness.core.errors import HarnessError, Refused
from harness.database import admin
from harness.plan.rules import DrainRules
from harness.safety.pooler import console

BEATS = 5
"""How often the keeper hears of us in a lease."""
FAILURES = {kind.__name__: kind for kind in (errors.Refused, errors.Stopped, errors.UsageError)}


@dataclass
class PoolerPause:
    """The databases that are paused; `patience` is after how long a waiting client is sent away."""

    databases: tuple[str, ...]
    patience: float
    findings: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"paused": list(self.databases), "query_wait_timeout": self.patience}

    def line(self) -> str:
        """As a person reads it."""
        away = f"; who waited {self.patience:g} s was sent away" if self.patience else ""
        return f"PgBouncer: {', '.join(self.databases)} paused while it ran{away}"


@contextmanager
def paused(dsn: str, rules: DrainRules, lease: float) -> Iterator[PoolerPause]:
    """Keep the databases of [drain] pgbouncer paused for the length of the block.

    They are resumed however it ends: also when we are killed, or were stopped for longer than
    `lease`. Raises Refused, Stopped or InfrastructureError, and leaves PgBouncer as it was.
    """
    address = console.read_address()
    found = _look(address, dsn, rules.pgbouncer)
    keeper = _Keeper(rules, lease)
    try:
        keeper.hear_paused()
        yield found
    finally:
        found.findings += keeper.end(address)


def resume_left(names: Sequence[str]) -> list[str]:
    """Resume what is paused still of these, as after the death of all who would have; which."""
    with console.open_console(console.read_address()) as conn:
        there = console.read_paused(conn)
        return [name for name in names if there.get(name) and console.resume(conn, name)]


def _look(address: str, dsn: str, names: tuple[str, ...]) -> PoolerPause:
    """What PgBouncer says of them; Refused where a pause would miss its mark."""
    with admin.connection(dsn) as own, console.open_console(address) as conn:
        there = console.read_paused(conn)
        for name in names:
            if name not in there:
                known = ", ".join(sorted(set(there) - {"pgbouncer"})) or "none"
                raise Refused(
                    f"PgBouncer has no database {name!r}; it knows {known}",
                    hint="correct pgbouncer in [drain]; what its * entry stands for is known only"
                    " while somebody uses it: give it an entry of its own",
                )
            if there[name]:
                raise Refused(
                    f"PgBouncer's database {name!r} is paused already",
                    hint="whoever paused it resumes it; harness maintenance off does so too",
                )
        row = own.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        if row and row[0] in console.read_backends(conn, names):
            raise Refused(
                "the migration itself goes through the PgBouncer that is to be paused",
                hint="give --dsn the server's own address",
            )
        return PoolerPause(names, console.read_patience(conn))


class _Keeper:
    """The process that pauses and resumes; it hears a beat of ours."""

    def __init__(self, rules: DrainRules, lease: float) -> None:
        self._names = rules.pgbouncer
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "harness.safety.pooler.keeper"),
                *(str(rules.pause), str(lease), *rules.pgbouncer),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ,
            start_new_session=True,  # it is there for the case that our group is killed
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, args=[lease / BEATS], daemon=True)
        self._thread.start()

    def hear_paused(self) -> None:
        """Wait until all are paused; raises what kept it from that."""
        said = self._hear()
        if said.get("state") != "paused":
            kind = FAILURES.get(str(said.get("kind")), errors.InfrastructureError)
            message = said.get("message") or "the process that pauses PgBouncer was killed"
            raise kind(message, hint=said.get("hint"))

    def end(self, address: str) -> list[str]:
        """Have them resumed, by us where the keeper is dead; what was not as promised."""
        self._ended.set()
        self._thread.join()
        self._send(b".")
        said = self._hear() or {"state": "killed"}
        with contextlib.suppress(OSError):
            self._process.communicate()
        if said["state"] == "killed":
            return ["the process that kept PgBouncer paused was killed", *self._resume(address)]
        if said.get("why") == "silent":
            return ["PgBouncer let clients in: it was resumed while this process was stopped"]
        return [_left(name) for name in said.get("left", ())]

    def _resume(self, address: str) -> list[str]:
        try:
            with console.open_console(address) as conn:
                for name in self._names:
                    console.resume(conn, name)
        except HarnessError as error:
            return [f"{_left(name)} ({error.message})" for name in self._names]
        return []

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "it is a pipe"
        with contextlib.suppress(ValueError):
            found = json.loads(self._process.stdout.readline() or b"{}")
            return found if isinstance(found, dict) else {}
        return {}

    def _send(self, word: bytes) -> None:
        assert self._process.stdin is not None, "it is a pipe"
        with contextlib.suppress(OSError):
            self._process.stdin.write(word)
            self._process.stdin.flush()

    def _beat_on(self, pause: float) -> None:
        while not self._ended.wait(pause):
            self._send(b"-")


def _left(name: str) -> str:
    return f"PgBouncer could not be told to resume {name!r}: say RESUME in its console"
