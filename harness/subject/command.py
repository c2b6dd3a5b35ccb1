"""A command line as a subject: any tool that takes a connection, with whatever it migrates."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from harness.core.direction import Direction
from harness.core.errors import UsageError
from harness.subject import command_line, tools
from harness.subject.accounts import position_by_tables
from harness.subject.baseline_files import apply_baseline
from harness.subject.guard import environment, namespace, reach
from harness.subject.protocol import (
    LIMIT,
    Connection,
    Invocation,
    Part,
    Position,
    Revision,
    Seeder,
)
from harness.subject.tree import tree_of

READ_LIMIT: Final = 30.0
UP, DOWN, PROBE, UNLOCK = "--up", "--down", "--probe", "--unlock"


@dataclass(frozen=True)
class CommandSubject:
    """Command lines that migrate up and, where there is one, down; run in the directory `root`.

    `probe` only reads, `unlock` removes the lock of a killed run. `baseline` are SQL files, applied
    in their order. `bookkeeping` names tables of the tool's own, as schema.table, besides those
    that are known by name. `trusted`: it may run where nothing would show that it connects
    elsewhere. `walled` False does without the namespaces, and is for trying the other guard.
    """

    up: str
    down: str | None = None
    probe: str | None = None
    unlock: str | None = None
    baseline: tuple[Path, ...] = ()
    root: Path = Path()
    own_tables: tuple[str, ...] = ()
    trusted: bool = False
    walled: bool = True
    limit: float = LIMIT
    seeder: Seeder | None = None
    kind: str = "command"

    @property
    def name(self) -> str:
        """The command that migrates."""
        return self.up

    @property
    def has(self) -> frozenset[Part]:
        """No steps and no ledger that we could see; a way back where there is a command for it."""
        parts: set[Part] = set()
        if self.baseline:
            parts.add("baseline")
        if self.down:
            parts.add("back")
        return frozenset(parts)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Whatever is in its directory, but for what version control ignores, and the baseline."""
        return tree_of(self.root, self.baseline)

    @property
    def hash(self) -> str:
        """That of the commands and of the files."""
        commands = [self.up, self.down, self.unlock]
        lines = [repr(commands), *(f"{name} {sha}" for name, sha in sorted(self.files.items()))]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """It cannot tell."""
        return ()

    @property
    def bookkeeping(self) -> tuple[str, ...]:
        """The tables that were named, and those that known tools make, in whatever schema."""
        return (*self.own_tables, *(table.name for table in tools.version_tables()))

    def prepare(self, dsn: str) -> list[str]:
        """Apply the files of the baseline, each in one transaction, by psql."""
        return apply_baseline(dsn, self.baseline)

    def invocation(self, direction: Direction, dsn: str) -> Invocation:
        """The command of a direction, where it reaches `dsn` alone if this system can see to that.

        Raises UsageError for a direction that has none.
        """
        text, what = {"forward": (self.up, UP), "rollback": (self.down, DOWN)}.get(
            direction, (None, direction)
        )
        if text is None:
            raise UsageError(f"{self.name!r} has no {direction}", hint="there is no command for it")
        return self._invocation(command_line.split(text, what), dsn, self.limit)

    def unlocking(self, dsn: str) -> Invocation | None:
        """The command that removes a killed run's lock; None where there is none."""
        if self.unlock is None:
            return None
        return self._invocation(command_line.split(self.unlock, UNLOCK), dsn, READ_LIMIT)

    def position(self, conn: Connection) -> Position:
        """What its version tables hold."""
        return position_by_tables(conn, self.own_tables)

    def prove_reach(self, dsn: str) -> None:
        """Run its probe and see it arrive; UsageError for commands that cannot be run at all.

        Raises Refused when it does not arrive, and where neither namespaces nor a probe would show
        that it connects elsewhere.
        """
        self.refuse_unrunnable()
        probe = self._probe()
        if probe is None:
            if self._wall_is_missing() and not self.trusted:
                raise reach.unguarded(self.up, self._wall_is_missing())
            return
        reach.refuse_unless_it_arrives(
            dsn, lambda through: self._invocation(probe, through, READ_LIMIT), " ".join(probe)
        )

    @property
    def guard(self) -> str:
        """What keeps it from other databases than ours, for a person and for the evidence."""
        missing = self._wall_is_missing()
        if not missing:
            return "network namespace: it reaches our port alone"
        if self._probe() is not None:
            return (
                f"probe alone (no network namespace: {missing}): a command that connects elsewhere"
                " than its probe is seen when it has run there"
            )
        return f"none (no network namespace: {missing}): it is trusted"

    def _invocation(self, words: tuple[str, ...], dsn: str, limit: float) -> Invocation:
        variables = environment.cleaned(os.environ) | environment.connecting(dsn)
        made = Invocation(command_line.filled(words, dsn), variables, self.root, limit)
        if self._wall_is_missing():
            return made
        return namespace.walled_in(made, int(variables["PGPORT"]))

    def _wall_is_missing(self) -> str:
        return namespace.unavailable() if self.walled else "it is not wanted"

    def _probe(self) -> tuple[str, ...] | None:
        if self.probe is not None:
            return command_line.split(self.probe, PROBE)
        return tools.probing(command_line.split(self.up, UP))

    def refuse_unrunnable(self, where: Callable[[str], str] = "--{}".format) -> None:
        """Raise UsageError for the first of its commands that cannot be split, or found.

        `where` says where a command stands, by its key.
        """
        variables = environment.cleaned(os.environ)
        for key in ("up", "down", "probe", "unlock"):
            text = getattr(self, key)
            if text is not None:
                words = command_line.split(text, where(key))
                command_line.refuse_absent(words, where(key), self.root, variables)
