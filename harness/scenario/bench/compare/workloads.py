"""What is compared: a run of a command of each ref's own harness, on a database of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.core.errors import UsageError
from harness.scenario.bench.compare.arm_process import ArmHello

Stand = Literal["none", "empty", "seeded", "migrated"]
"""How far a database is: with the baseline only, with rows, or with the migration done."""

DSN, SOURCE, ROWS, SEED = "{dsn}", "{source}", "{rows}", "{seed}"
SERVER, TEMPLATE, NAME = "{server}", "{template}", "{name}"


@dataclass(frozen=True)
class BenchWorkload:
    """One benchmark: what is run, on which database, and which exit statuses are an answer.

    A run gets a copy of the database if it is `copied`, and else reads what others read too. An
    argument written --name=value is left out where a ref does not know it.
    """

    name: str
    database: Stand
    arguments: Sequence[str]
    kind: Literal["command", "clone", "start", "loop"] = "command"
    copied: bool = False
    judges: bool = False

    @property
    def statuses(self) -> Sequence[int]:
        """Exit statuses that are an answer: whoever judges may find something."""
        return (0, 1) if self.judges else (0,)

    def is_in(self, hello: ArmHello) -> bool:
        """Whether a ref has it."""
        if self.kind == "clone":
            return hello.clones
        return self.kind != "command" or self.arguments[0] in hello.commands


LOOP: Final = BenchWorkload("loop", "none", (), "loop")
"""Not a benchmark: fixed work, by which it is seen that both arms get the same of the machine."""

WORKLOADS: Final[Sequence[BenchWorkload]] = (
    BenchWorkload("clone", "seeded", (SERVER, TEMPLATE, NAME), "clone"),
    BenchWorkload("fingerprint", "seeded", ("fingerprint", "--dsn", DSN)),
    BenchWorkload("start", "none", ("--help",), "start"),
    BenchWorkload(
        "seed", "empty", ("seed", "--dsn", DSN, "--rows", ROWS, "--seed", SEED), copied=True
    ),
    BenchWorkload("validate", "seeded", ("validate", "--dsn", DSN), judges=True),
    BenchWorkload(
        "rollback", "migrated", ("rollback", "--dsn", DSN, "--override-window=benchmark"),
        copied=True,
    ),
    BenchWorkload(
        "verify", "migrated", ("verify", "--dsn", DSN, "--source", SOURCE), judges=True
    ),
    BenchWorkload(
        "migrate", "seeded",
        ("migrate", "--dsn", DSN, "--waive-backup=benchmark", "--waive-validation=benchmark"),
        copied=True,
    ),
    BenchWorkload("dry-run", "seeded", ("dry-run", "--dsn", DSN), judges=True),
)  # fmt: skip
"""The cheapest first: where the time is limited, those that are not tried are the others."""
BY_NAME: Final = {one.name: one for one in WORKLOADS}


def choose_workloads(only: Sequence[str]) -> Sequence[BenchWorkload]:
    """The benchmarks of these names, or all; raises UsageError for a name that is none."""
    names = [one.name for one in WORKLOADS]
    for name in only:
        if name not in names:
            raise UsageError(
                f"there is no benchmark {name!r} to compare",
                hint="--only takes " + ", ".join(names),
            )
    return [one for one in WORKLOADS if not only or one.name in only]
