"""The explorations see: every planted engine defect is caught, by the domains that the page names.

A cell of the table is one defect explored by one domain, at the steps where the defect matters.
What is found is kept in build/engine-defects.json and must be what docs/engine-defects.md says.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from harness.core.errors import HarnessError
from harness.crash import workers
from harness.crash.model import CoverageRow, Point, Task
from harness.crash.registry import REGISTRY
from harness.crash.setup import Setup
from harness.crash.templates import furnished
from tests.harness.support import engine_defects
from tests.harness.support.crash import ground_of
from tests.harness.support.defect_plan import DEFECTS, Planted, defect_plan, undisturbed
from tests.harness.support.server import require
from tests.harness.support.thorough import EXHAUSTIVE

if TYPE_CHECKING:
    from harness.server import Server

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "engine-defects.md"
FOUND = ROOT / "build" / "engine-defects.json"
FOUR = ("wire", "wal", "pinned", "contended")  # that can strike at any step
DOMAINS = (*FOUR, "tampered", "environment")
LOOKS_WITH_THE_PRODUCT = DOMAINS[2:]  # whatever is planted, for what must be struck
CAUGHT, MISSED, UNKNOWN, UNASKED = "caught", "no", "unknown", "not asked"
ASKED = [(one, domain) for one in DEFECTS for domain in FOUR if domain not in one.unasked]
ASKED += [(one, domain) for one in DEFECTS for domain, _ in one.elsewhere]
ASTRAY = re.compile("the ledger is damaged|a resumed run must make the same commits")
LEFT_OUT = (
    *("stall", "partial", "sigterm", "sigterm-twice", "sigint", "sigint-twice", "kill-backend"),
)
"""Faults that take long, and whose states others leave as well."""
MANY = 3  # points, about, of each fault that strikes at a hidden defect, and of all at another
ONE = 1  # the last of each fault: of several it shows nearly every defect
FINEST_LAST = sorted(DEFECTS, key=lambda one: one.hidden)
PLACES = {(one.step, one.direction): one for one in FINEST_LAST}
ELSEWHERE = [one for one in DEFECTS if one.elsewhere]


@dataclass(frozen=True)
class Cell:
    """What a domain found of a defect: the first point that failed, and why.

    The word `unknown` says that no point failed, and that some could not be judged.
    """

    word: str
    points: int
    unknown: int = 0
    first: str = ""
    reason: str = ""


class Explorer:
    """Strikes where defects matter, in one worker process for all of the tests."""

    def __init__(self, ground: Setup, worker: ProcessPoolExecutor) -> None:
        self._ground, self._worker = ground, worker
        self.usual = functools.cache(self._usual)
        self.tasks = functools.cache(self._tasks)
        self.planted = functools.cache(self._planted)

    def as_it_is(self, domain: str) -> list[CoverageRow]:
        """Strike with the engine as it is at every place where a defect matters to a domain."""
        where = [*PLACES.values()] if domain in FOUR else ELSEWHERE
        return self._struck(self._ground, self.usual(domain), where, numbers_of(domain)[0])

    def as_it_is_at(self, domain: str, point: str) -> list[CoverageRow]:
        """Strike with the engine as it is at a point of this id, if it has that point."""
        whole = [(task, [p for p in task.points if p.id == point]) for task in self.usual(domain)]
        chosen = [replace(task, points=tuple(points)) for task, points in whole if points]
        return [row for task in chosen for row in self._done(workers.run_task, self._ground, task)]

    def explore(self, domain: str, planted: Planted, number: int) -> list[CoverageRow]:
        """Strike with a defect planted, where it matters; once for those planted together."""
        where = replace(planted, plant=planted.together or planted.plant, shows="")
        return self.planted(domain, where, number)

    def undisturbed(self, planted: Planted, server_dsn: str) -> list[str]:
        """What a run that nothing disturbs does otherwise than it should, with that one defect."""
        ground = replace(self._ground, prepare=planted.alone)
        return self._done(undisturbed, ground, server_dsn)

    def _usual(self, domain: str) -> list[Task]:
        return self._done(find_tasks, replace(self._ground, lean=True), domain)

    def _planted(self, domain: str, where: Planted, number: int) -> list[CoverageRow]:
        ground = replace(self._ground, prepare=where.prepare)
        return self._struck(ground, self.tasks(domain, where), [where], number)

    def _tasks(self, domain: str, where: Planted) -> list[Task]:
        if where.quiet or domain in LOOKS_WITH_THE_PRODUCT:
            return self.usual(domain)
        ground = replace(self._ground, prepare=where.prepare)
        one_way = replace(ground, lean=True, directions=(where.direction,))
        found: list[Task] = self._done(find_tasks, one_way, domain)
        return found

    def _struck(
        self, ground: Setup, found: list[Task], where: Sequence[Planted], number: int
    ) -> list[CoverageRow]:
        rows: list[CoverageRow] = []
        for task in (within(task, where, number) for task in found):
            if task.points:
                rows += self._done(workers.run_task, ground, task)
        return rows

    def _done(self, function: Callable[..., Any], *arguments: object) -> Any:
        return self._worker.submit(function, *arguments).result()


def find_tasks(ground: Setup, domain: str) -> list[Task]:
    """What a domain has to strike, looked for in the process that calls it."""
    return REGISTRY[domain].tasks(ground)


@pytest.fixture(scope="module")
def explorer(
    harness_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Explorer]:
    """The plan of the proof, how it goes with the engine as it is, and a bench for the wire."""
    dsn = harness_server.dsn()
    found = ground_of(dsn, defect_plan(tmp_path_factory.mktemp("plan")))
    bench = furnished(found, dsn)
    with workers.pool(1) as worker:
        yield Explorer(replace(found, extra={"bench": bench}), worker)
    bench.close()


def within(task: Task, where: Sequence[Planted], number: int) -> Task:
    """A task with some of its points where defects matter, in the order of the run."""
    chosen: set[Point] = set()
    for planted in where:
        points = [
            point
            for point in task.points
            if planted.matters_at(point) and point.fault not in LEFT_OUT
        ]
        if planted.hidden:
            for fault in {point.fault for point in points}:
                chosen |= spread([p for p in points if p.fault == fault], number)
        else:
            chosen |= spread(points, number)
    return replace(task, points=tuple(point for point in task.points if point in chosen))


def spread(points: Sequence[Point], number: int) -> set[Point]:
    """About so many of the points, from the last of them on back."""
    return {*points[:: -max(1, len(points) // number)]}


def numbers_of(domain: str) -> tuple[int, ...]:
    """How many points of each fault are struck; more when fewer did not catch the defect."""
    return (MANY,) if EXHAUSTIVE or domain == "wal" else (ONE, MANY)  # it has one fault alone


def look(explorer: Explorer, planted: Planted, domain: str) -> Cell:
    """Explore with a defect planted; the first point that caught it, or was not judged."""
    few, *many = numbers_of(domain)
    cell = found_at(explorer, planted, domain, few)
    for number in many if cell.word != CAUGHT else ():
        cell = found_at(explorer, planted, domain, number)
        if cell.word == CAUGHT:  # there the engine as it is was not struck
            rows = explorer.as_it_is_at(domain, cell.first)
            assert [row for row in rows if row.verdict != "pass"] == []
    return cell


def found_at(explorer: Explorer, planted: Planted, domain: str, number: int) -> Cell:
    """What so many points of each fault show of a defect."""
    try:
        rows = explorer.explore(domain, planted, number)
    except HarnessError as error:
        if ASTRAY.search(str(error)):
            return Cell(CAUGHT, 1, 0, "looking for points", str(error))
        raise
    require_what_it_needs(rows)
    wrong = [row for row in rows if is_caught(row)]
    failed = sorted((row for row in wrong if planted.shows in row.reason), key=lambda r: r.point)
    unknown = [row for row in rows if row.verdict == "unknown" and row not in wrong]
    shown = [*failed, *unknown]
    word = CAUGHT if failed else UNKNOWN if unknown else MISSED
    if not shown:
        return Cell(word, len(rows))
    return Cell(word, len(rows), len(unknown), shown[0].point.id, shown[0].reason)


def require_what_it_needs(rows: list[CoverageRow]) -> None:
    """Skip, or fail where it is required, when this machine lacks the pooler."""
    for row in rows:
        if row.verdict == "unknown" and row.reason.startswith("pgbouncer:"):
            require("pgbouncer", row.reason)


def is_caught(row: CoverageRow) -> bool:
    """Whether a row says that something is wrong: it failed, or says that the engine went astray.

    Then a state cannot be judged: its ledger contradicts itself, or no resumed run comes to it.
    """
    return row.verdict == "fail" or ASTRAY.search(row.reason) is not None


def keep(planted: Planted, domain: str, cell: Cell) -> None:
    """Add a cell to build/engine-defects.json, beside those of other processes."""
    FOUND.parent.mkdir(exist_ok=True)
    with FileLock(FOUND.with_suffix(".lock")):
        known = json.loads(FOUND.read_text()) if FOUND.exists() else {}
        known.setdefault(planted.name, {})[domain] = asdict(cell)
        FOUND.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def table(text: str) -> dict[str, dict[str, str]]:
    """The page's table: defect -> domain -> caught or not."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
    return {name: dict(zip(DOMAINS, cells.split(" | "), strict=True)) for name, cells in rows}


def only_one(found: dict[str, dict[str, str]]) -> dict[str, str]:
    """The defects that one of the four catches and the other three pass, and that domain."""
    return {
        name: next(domain for domain in FOUR if row[domain] == CAUGHT)
        for name, row in found.items()
        if sorted(row[domain] for domain in FOUR) == [CAUGHT, *[MISSED] * (len(FOUR) - 1)]
    }


def asked_here() -> list[tuple[Planted, str]]:
    """What is asked in this run: all, or of each defect two domains that catch it by the page."""
    if EXHAUSTIVE:
        return ASKED
    told = table(PAGE.read_text())
    catching = {
        one.name: [d for other, d in ASKED if other is one and told[one.name][d] == CAUGHT][:2]
        for one in DEFECTS
    }
    return [(one, domain) for one, domain in ASKED if domain in catching[one.name]]


@pytest.mark.parametrize(("planted", "domain"), asked_here(), ids=str)
def test_a_defect_is_caught_by_the_domains_that_the_page_names(
    explorer: Explorer, planted: Planted, domain: str
) -> None:
    cell = look(explorer, planted, domain)
    keep(planted, domain, cell)
    assert cell.points, "nothing was struck"
    assert cell.word == table(PAGE.read_text())[planted.name][domain], cell


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_engine_as_it_is_passes_where_defects_are_caught(
    explorer: Explorer, domain: str
) -> None:
    rows = explorer.as_it_is(domain)
    require_what_it_needs(rows)
    struck = {(row.point.step, row.point.direction) for row in rows}
    assert struck == PLACES.keys() if domain in FOUR else struck, "nothing was struck"
    assert [row for row in rows if row.verdict != "pass" or not row.fired] == []


@pytest.mark.parametrize("planted", DEFECTS, ids=lambda planted: planted.name)
def test_only_a_disturbed_run_shows_a_hidden_defect(
    harness_server: Server, explorer: Explorer, planted: Planted
) -> None:
    found = explorer.undisturbed(planted, harness_server.dsn())
    assert (found == []) is planted.hidden, found
    assert planted.hidden or any(planted.shows in difference for difference in found)


def test_every_defect_is_caught_by_some_domain() -> None:
    found = table(PAGE.read_text())
    assert list(found) == [planted.name for planted in DEFECTS]
    for planted in DEFECTS:
        asked = [*(set(FOUR) - {*planted.unasked}), *dict(planted.elsewhere)]
        left = {domain for domain in DOMAINS if found[planted.name][domain] == UNASKED}
        assert left == {*DOMAINS} - {*asked}
    assert [name for name, row in found.items() if CAUGHT not in row.values()] == []


def test_the_page_says_what_each_defect_is_and_which_one_domain_alone_catches() -> None:
    page = PAGE.read_text()
    for planted in DEFECTS:
        assert f"- `{planted.name}`: {planted.told}" in page
    told = re.findall(r"^- `(\w+)`: (\w+) alone of the four", page, re.MULTILINE)
    assert dict(told) == only_one(table(page))


def test_what_one_of_the_four_catches_alone_the_other_two_are_asked_about() -> None:
    """Would let "alone" stand for domains that nobody asked."""
    found = table(PAGE.read_text())
    asked = {planted.name: set(dict(planted.elsewhere)) for planted in DEFECTS}
    for name in only_one(found):
        assert asked[name] == {*DOMAINS} - {*FOUR}
        others = sorted(domain for domain in asked[name] if found[name][domain] == CAUGHT)
        (said,) = re.findall(rf"^- `{name}`: \w+ alone of the four(.*)", PAGE.read_text(), re.M)
        assert sorted(re.findall("tampered|environment", said.partition(" catches ")[0])) == others


def test_every_defect_of_the_module_is_planted() -> None:
    plain = {
        name
        for name, function in inspect.getmembers(engine_defects, inspect.isfunction)
        if function.__module__ == engine_defects.__name__
        and not name.startswith("_")
        and not inspect.signature(function).parameters
    }
    assert plain == {planted.name for planted in DEFECTS}
