"""Mutants that change nothing anybody could see: declared in a file, each with its reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from harness.core.errors import UsageError
from harness.scenario.mutate.model import Mutant

NAME = "mutants_equivalent.toml"


@dataclass(frozen=True)
class Equivalent:
    """Mutants by id, `*` standing for anything; a text their diff must hold; and why."""

    mutants: tuple[str, ...]
    reason: str
    where: str
    diff: str = ""

    def covers(self, mutant: Mutant) -> bool:
        """Whether the mutant is one of these."""
        name = mutant.id
        return any(fnmatchcase(name, one) for one in self.mutants) and self._changes(mutant)

    def _changes(self, mutant: Mutant) -> bool:
        if not self.diff:
            return True
        lines = mutant.diff.splitlines()[2:]
        return any(self.diff in line for line in lines if line.startswith(("-", "+")))


def read(path: Path) -> tuple[Equivalent, ...]:
    """Every entry of the file; none when there is no file. UsageError names file and line."""
    if not path.exists():
        return ()
    text = path.read_text("utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path}:{line[1]}" if line else str(path)
        raise UsageError(f"is not valid TOML: {error}", where=where) from None
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("[[equivalent]]")]
    entries = document.pop("equivalent", [])
    if document:
        raise UsageError(f"unknown key {next(iter(document))!r}", where=f"{path}:1")
    return tuple(
        _entry(entry, f"{path}:{line}") for entry, line in zip(entries, lines, strict=True)
    )


def _entry(entry: dict[str, object], where: str) -> Equivalent:
    strange = set(entry) - {"mutants", "reason", "diff"}
    if strange:
        raise UsageError(f"unknown key {min(strange)!r}", where=where)
    ids, reason, diff = entry.get("mutants"), entry.get("reason"), entry.get("diff", "")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise UsageError("mutants is a list of ids", where=where)
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError("an equivalent mutant needs a reason", where=where)
    if not isinstance(diff, str):
        raise UsageError("diff is a text that the diff holds", where=where)
    return Equivalent(tuple(ids), reason, where, diff)


def reason(known: Iterable[Equivalent], mutant: Mutant) -> str | None:
    """Why a mutant is equivalent; None when nobody said so."""
    return next((entry.reason for entry in known if entry.covers(mutant)), None)


def refuse_stale(known: Iterable[Equivalent], every: Iterable[Mutant]) -> None:
    """Refuse an entry that covers no mutant of the plan any more."""
    population = tuple(every)
    for entry in known:
        for one in entry.mutants:
            alone = Equivalent((one,), entry.reason, entry.where, entry.diff)
            if not any(alone.covers(mutant) for mutant in population):
                raise UsageError(
                    f"the plan has no mutant {one!r}"
                    + (f" with {entry.diff!r}" * bool(entry.diff)),
                    where=entry.where,
                    hint="the statement changed: look whether a survivor takes its place",
                )
