"""What a suite did, counted: how many of how many. A claim on a page stands on these."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.report.shape import Document, MisshapenError, document, objects, text

NAMED = 3  # of those that are missing


@dataclass(frozen=True)
class Count:
    """`done` of `of` things: all of them, or a sample that says that it is one."""

    what: str
    done: int
    of: int
    sample: bool = False

    @property
    def whole(self) -> bool:
        """Whether everything was done that was to be."""
        return bool(self.done) and (self.done >= self.of or self.sample)

    def __str__(self) -> str:
        some = ", a sample" if self.done < self.of and self.sample else ""
        return f"{self.done:,} of {self.of:,} {self.what}{some}"


def entry(what: str, done: Iterable[str], of: Iterable[str], sample: bool) -> dict[str, Any]:
    """A document that tells of some things done; several of one suite are put together."""
    return {
        "verdict": "pass",
        "findings": [],
        "counted": [
            {"what": what, "done": sorted(set(done)), "of": sorted(set(of)), "sample": sample}
        ],
    }


def stem(name: str, told: Mapping[str, Any]) -> str:
    """A name of its own for each part; the same part told twice is one."""
    digest = hashlib.sha256(json.dumps(told["counted"], sort_keys=True).encode()).hexdigest()
    return f"{name}.{digest[:16]}"


def merged(found: Sequence[Document]) -> dict[str, Any]:
    """One document of all parts: unknown when something that was to be done was not."""
    done: dict[str, set[str]] = {}
    of: dict[str, set[str]] = {}
    sampled: dict[str, bool] = {}
    for part in found:
        for item in objects(part, "counted"):
            what = text(item, "what")
            done.setdefault(what, set()).update(_names(item, "done"))
            of.setdefault(what, set()).update(_names(item, "of"))
            sampled[what] = bool(item.get("sample"))
    missing = {what: sorted(of[what] - done[what]) for what in of if not sampled[what]}
    short = [_short(what, len(of[what]), lost) for what, lost in missing.items() if lost]
    short += [f"none of {what}" for what in of if not done[what]]
    return {
        "verdict": "unknown" if short else "pass",
        "reason": "; ".join(short),
        "findings": [],
        "counts": [
            asdict(Count(what, len(done[what]), len(of[what] | done[what]), sampled[what]))
            for what in sorted(of)
        ],
    }


def _short(what: str, of: int, lost: list[str]) -> str:
    names = ", ".join(lost[:NAMED]) + (" and more" if len(lost) > NAMED else "")
    return f"{of - len(lost):,} of {of:,} {what}, without {names}"


def _names(item: Document, key: str) -> list[str]:
    found = item.get(key)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise MisshapenError(f"{key} is not a list of names")
    return found


def counts(name: str, found: Document) -> tuple[Count, ...]:
    """What a document of evidence counts, whoever wrote it; empty when it counts nothing."""
    if "counts" in found:
        return tuple(Count(**document(item, "counts")) for item in objects(found, "counts"))
    counter = COUNTERS.get(name)
    return tuple(one for one in counter(found) if one.done) if counter else ()


def _every(what: str, number: int) -> Count:
    return Count(what, number, number)


def _validate(found: Document) -> list[Count]:
    return [_every("checks of the source's rows", len(found.get("checks") or ()))]


def _dry_run(found: Document) -> list[Count]:
    ways = [step.get("direction") for step in objects(found, "steps")]
    return [_every(f"steps rehearsed {way}", ways.count(way)) for way in ("forward", "rollback")]


def _verify(found: Document) -> list[Count]:
    relations = found.get("relations") or []
    right = [one for one in relations if one.get("verdict") == "pass"]
    rows = sum(int(one.get("rows") or 0) for one in right)
    return [
        Count("relations compared row by row", len(right), len(relations)),
        _every("rows compared", rows),
        _every("sampled rows shown", len(found.get("samples") or ())),
    ]


def _security(found: Document) -> list[Count]:
    told = document(found.get("matrix", found), "matrix")
    relations, functions = told.get("relations") or [], told.get("functions") or []
    tried = len(told.get("roles") or ()) * (len(relations) + len(functions))
    return [_every("roles on relations and functions tried", tried)]


def _crash(found: Document) -> list[Count]:
    there = sum(sum(ways.values()) for ways in (found.get("enumerated") or {}).values())
    struck = int(found.get("fired") or 0)
    return [Count("crash points struck", struck, max(there, int(found["points"])), sample=True)]


COUNTERS: Mapping[str, Callable[[Document], list[Count]]] = {
    "validate": _validate,
    "dry_run": _dry_run,
    "verify": _verify,
    "security": _security,
    "crash": _crash,
}
