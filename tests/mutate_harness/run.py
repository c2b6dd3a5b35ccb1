"""Judge many mutants on all cores, resume where a run was stopped, and say the score."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from .covering import Covering, read_map
from .judging import EFFORT, Bench, Judgement
from .model import ROOT, Mutant, files, mutants_of
from .seen import read_seen, still_there

EXHAUSTIVE: Final = (
    *("harness/document/base.py", "harness/document/verdict.py", "harness/document/verify.py"),
    *("harness/report/verdict.py", "harness/report/evidence.py", "harness/scenario/gate/*"),
    *("harness/runner/ledger*", "harness/runner/lock.py", "harness/runner/reconnect.py"),
    *("harness/runner/heartbeat.py", "harness/runner/session.py", "harness/runner/steps.py"),
    *("harness/runner/working.py", "harness/runner/claim.py", "harness/runner/fence.py"),
    *("harness/runner/*_step.py", "harness/check/verify/*"),
)
"""Where every mutant is judged: what decides GO, and what makes a step happen exactly once."""
SAMPLED: Final = tuple(
    f"harness/{room}/*"
    for room in ("check", "runner", "database", "safety", "scenario", "fault", "crash", "document")
)
SAMPLE: Final = 600
DECLARED: Final = Path(__file__).with_name("declared.toml")


@dataclass(frozen=True)
class Settings:
    """What is judged: a scope, or files that match `only`; `seconds` ends it early."""

    scope: str = "all"
    only: str = ""
    seed: int = 1
    shard: tuple[int, int] = (1, 1)
    workers: int = 2
    seconds: float | None = None
    effort: float = EFFORT
    fresh: bool = False
    build: Path = Path("build/mutate-harness")


@dataclass(frozen=True)
class Declared:
    """Mutants that no test can see, or that none sees yet: the change that was read, and why."""

    kind: str
    change: str
    reason: str


def is_exhaustive(path: str) -> bool:
    """Whether every mutant of the file is judged."""
    return any(fnmatch.fnmatch(path, pattern) for pattern in EXHAUSTIVE)


def chosen(settings: Settings) -> list[Mutant]:
    """The mutants of a scope, in an order that a seed decides: a run cut short is a sample."""
    paths = files()
    if settings.scope == "ci":
        found = still_there(read_seen())
    elif settings.only:
        found = [
            m
            for path in paths
            if any(fnmatch.fnmatch(path, only) for only in settings.only.split())
            for m in mutants_of(path)
        ]
    else:
        sharp = [m for path in paths if is_exhaustive(path) for m in mutants_of(path)]
        found = sharp if settings.scope in ("all", "exhaustive") else []
        if settings.scope in ("all", "sample"):
            found = found + sample(paths, settings.seed)
    # each name has its own place in the order, so that an edit does not shuffle all others
    found.sort(key=lambda mutant: _place(settings.seed, mutant))
    part, parts = settings.shard
    return found[part - 1 :: parts]


def sample(paths: Sequence[str], seed: int) -> list[Mutant]:
    """A sample of the other rooms, as large in each as its share of the mutants."""
    rooms = [
        sorted(
            (mutant for path in paths if _is_in(path, room) for mutant in mutants_of(path)),
            key=lambda mutant: _place(seed, mutant),
        )
        for room in SAMPLED
    ]
    every = sum(map(len, rooms))
    return [mutant for room in rooms for mutant in room[: round(SAMPLE * len(room) / every)]]


def _is_in(path: str, room: str) -> bool:
    return fnmatch.fnmatch(path, room) and not is_exhaustive(path)


def _place(seed: int, mutant: Mutant) -> bytes:
    """A place in an order by chance that an edit elsewhere does not change."""
    return hashlib.sha256(f"{seed} {mutant.id}".encode()).digest()


def read_declared(path: Path = DECLARED) -> dict[str, Declared]:
    """What is declared, by the mutant's id.

    Raises ValueError for an entry without a reason.
    """
    found: dict[str, Declared] = {}
    for kind, entries in tomllib.loads(path.read_text()).items():
        for entry in entries:
            if not entry.get("reason", "").strip():
                raise ValueError(f"{path.name}: {entry.get('id')} is declared without a reason")
            found[entry["id"]] = Declared(kind, entry["change"], entry["reason"])
    return found


class Results:
    """Judgements as lines of a file: whoever goes on later need not ask again."""

    def __init__(self, path: Path, fresh: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            path.unlink(missing_ok=True)
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self._known = {(row["id"], row["file"]): row for row in map(json.loads, lines)}

    def known(self, mutant: Mutant) -> dict[str, Any] | None:
        """The row of a mutant that was killed while its file was as it is now.

        One that survived is asked again: a test may have come.
        """
        row = self._known.get((mutant.id, _file_hash(mutant.path)))
        return row if row and row["state"] in ("killed", "hung") else None

    def keep(self, judged: Judgement) -> dict[str, Any]:
        """Append a judgement; returns its row."""
        row = {
            "id": judged.mutant.id,
            "file": _file_hash(judged.mutant.path),
            "line": judged.mutant.line,
            "state": judged.state,
            "change": judged.change,
            "by": judged.by,
            "seconds": round(judged.seconds, 2),
        }
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        return row


def _file_hash(path: str) -> str:
    return hashlib.sha256((ROOT / path).read_bytes()).hexdigest()[:16]


def judge_all(settings: Settings, told: Callable[[int, int, dict[str, Any]], None]) -> list[Any]:
    """Judge the chosen mutants; returns a row for each that was judged, now or before.

    Raises RuntimeError when the tests themselves fail.
    """
    mutants, covering = chosen(settings), read_map()
    results = Results(settings.build / "results.jsonl", settings.fresh)
    rows = [row for row in map(results.known, mutants) if row]
    done = {row["id"] for row in rows}
    left = [mutant for mutant in mutants if mutant.id not in done]
    for row in _judged(left, covering, settings, results):
        rows.append(row)
        told(len(rows), len(mutants), row)
    return rows


def _judged(
    left: Iterable[Mutant], covering: Covering, settings: Settings, results: Results
) -> Iterator[dict[str, Any]]:
    """Rows as they come; benches are handed from one mutant to the next."""
    killers = read_seen()
    end = time.monotonic() + settings.seconds if settings.seconds else None
    free: SimpleQueue[Bench] = SimpleQueue()
    for number in range(settings.workers):
        free.put(Bench(settings.build.resolve() / f"bench-{number + 1}", settings.effort))

    def judge(mutant: Mutant) -> Judgement | None:
        if end is not None and time.monotonic() > end:
            return None
        bench = free.get()
        try:
            return bench.judge(mutant, covering, killer=killers.get(mutant.id))
        except RuntimeError as error:  # tests that fail by themselves judge nothing
            return Judgement(mutant, "unjudged", mutant.change(), str(error), 0.0)
        finally:
            free.put(bench)

    with ThreadPoolExecutor(settings.workers) as pool:
        waiting = [pool.submit(judge, mutant) for mutant in left]
        try:
            for future in waiting:
                judged = future.result()
                if judged is not None:
                    yield results.keep(judged)
        finally:
            for future in waiting:
                future.cancel()
    while not free.empty():
        free.get().close()
