"""How the command line strikes at one point again."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from harness.crash.model import NOWHERE, Point


@dataclass(frozen=True)
class PointReplay:
    """How the command line repeats one point: on the same subject, rows, seed and server.

    `plan`, `server` and `pg_version` are None where the command line takes the same by itself;
    `named` are the words that name a subject which is no plan.
    """

    rows: int
    seed: int
    plan: str | None = None
    server: str | None = None
    pg_version: int | None = None
    named: tuple[str, ...] = ()

    def line(self, point: Point) -> str:
        """One line for a shell; where no point was found, it looks for the domain's again."""
        name = "'" + point.id.replace("'", "'\"'\"'") + "'"
        what = _again(point) if point.step == NOWHERE else f"--replay {name}"
        return self.again(what)

    def again(self, what: str) -> str:
        """One line for a shell that explores `what` on the same ground."""
        others = {"plan": self.plan, "server": self.server, "pg-version": self.pg_version}
        unusual = [f" --{key} {quote(str(said))}" for key, said in others.items() if said]
        unusual += [f" {quote(word)}" for word in self.named]
        return f"harness crash {what} --rows {self.rows} --seed {self.seed}{''.join(unusual)}"


def _again(point: Point) -> str:
    """The options that look once more where a point was asked for and none was struck."""
    fault = "" if point.fault == "any" else f" --fault {quote(point.fault)}"
    return f"--domain {point.domain} --direction {point.direction}{fault}"
