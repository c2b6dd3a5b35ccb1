"""What a mutant is, and what became of it."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from typing import Literal

from pglast import parse_sql

from harness.core.direction import StepDirection
from harness.plan import Script
from harness.scenario.mutate.edits import laid_out

OutcomeName = Literal["killed", "survived", "equivalent", "unknown"]
SHORT = 8  # digits of an id: enough that no two mutants of one step share it


@dataclass(frozen=True)
class Mutant:
    """One small defect in one script of a plan.

    `statement` counts from 0; `text` takes its place, and where it is None the statement goes.
    `swap` is for the one defect that is not in a statement: the step and its successor change
    places. `script` is for a defect of the whole script, which takes the place of it. `before` and
    `after` are the statement and the mutant written alike, for the diff.
    """

    step: str
    direction: StepDirection
    operator: str
    line: int
    statement: int | None = None
    text: str | None = None
    before: str = ""
    after: str = ""
    swap: bool = False
    script: Script | None = None

    @property
    def cleans(self) -> bool:
        """Whether it is a defect of the clean-up, which belongs to no step."""
        return self.step.startswith("cleanup/")

    @property
    def file(self) -> str:
        """The script that it changes, without its ending."""
        return self.step if self.cleans else f"{self.step}.{self.direction}"

    @property
    def id(self) -> str:
        """The same as long as the statement is the same, wherever in its file it stands."""
        seen = "\n".join((str(self.swap), self.before, self.after, str(self.text is None)))
        digest = hashlib.sha256(seen.encode()).hexdigest()[:SHORT]
        return f"{self.file}:{self.operator}:{digest}"

    @property
    def diff(self) -> str:
        """What the mutant changes, as a unified diff of one line of context."""
        name = f"{self.file}.sql:{self.line}"
        texts = (self.before, self.after)
        plain = self.swap or self.script is not None
        before, after = texts if plain else (_laid_out(text) for text in texts)
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, self.operator, "", "", 1, ""
        )
        return "\n".join(lines)


@dataclass(frozen=True)
class MutantResult:
    """What became of a mutant: which check saw it, and what it said."""

    mutant: Mutant
    outcome: OutcomeName
    by: str = ""
    reason: str = ""
    seconds: float = 0.0


def _laid_out(text: str) -> str:
    return laid_out(parse_sql(text)[0].stmt) if text else ""
