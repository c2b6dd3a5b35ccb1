"""The explorations see: every planted engine defect is caught, by the domains that the page names.

A cell of the table is one defect explored by one domain, at the steps where the defect matters.
What is found is kept in build/engine-defects.json and must be what docs/engine-defects.md says.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
from filelock import FileLock

from harness.core.errors import HarnessError
from harness.crash import workers
from harness.crash.model import CoverageRow, Task
from harness.crash.setup import Setup
from harness.crash.templates import furnished
from harness.database import admin
from tests.harness.support import engine_defects
from tests.harness.support.crash import ground_of
from tests.harness.support.defect_plan import DEFECTS, Planted, defect_plan, undisturbed
from tests.harness.support.server import require

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
Finder = Callable[[str], list[Task]]
LEFT_OUT = (
    *("stall", "partial", "sigterm", "sigterm-twice", "sigint", "sigint-twice", "kill-backend"),
)
"""Faults that take long, and whose states others leave as well."""
FEW = 6  # points, about, of a task that strikes at a defect that any run shows
FINEST_LAST = sorted(DEFECTS, key=lambda one: one.hidden)
PLACES = list({(one.step, one.direction): one for one in FINEST_LAST}.values())
PASSING = [(one, domain) for domain in FOUR for one in PLACES]
PASSING += [(one, domain) for one in DEFECTS for domain, _ in one.elsewhere]


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


@pytest.fixture(scope="module")
def ground(harness_server, tmp_path_factory) -> Iterator[Setup]:
    """The plan of the proof, how it goes with the engine as it is, and a bench for the wire."""
    dsn = harness_server.dsn()
    found = ground_of(dsn, defect_plan(tmp_path_factory.mktemp("plan")))
    bench = furnished(found, dsn)
    yield replace(found, extra={"bench": bench})
    for name in (bench.source, bench.target):
        admin.drop(dsn, name)


@pytest.fixture(scope="module")
def usual(ground) -> Finder:
    """What a domain has to strike with the engine as it is; looked for once."""
    return functools.cache(lambda domain: workers.find_tasks(ground, domain))


def explore(ground: Setup, domain: str, planted: Planted, usual: Finder) -> list[CoverageRow]:
    """Strike at a domain's points where a defect matters."""
    rows: list[CoverageRow] = []
    as_usual = ground.prepare is None or planted.quiet or domain in LOOKS_WITH_THE_PRODUCT
    found = usual(domain) if as_usual else workers.find_tasks(ground, domain)
    tasks = [within(task, planted) for task in found]
    with workers.pool(1) as processes:
        for task in tasks:
            if task.points:
                rows += processes.submit(workers.run_task, ground, task).result()
    return rows


def within(task: Task, planted: Planted) -> Task:
    """A task with its points where a defect matters, few of them where any would show it."""
    points = [
        point for point in task.points if planted.matters_at(point) if point.fault not in LEFT_OUT
    ]
    every = 1 if planted.hidden else max(1, len(points) // FEW)
    return replace(task, points=tuple(points[::-every][::-1]))


def look(ground: Setup, planted: Planted, domain: str, usual: Finder) -> Cell:
    """Explore with a defect planted; the first point that caught it, or was not judged."""
    try:
        rows = explore(replace(ground, prepare=planted.prepare), domain, planted, usual)
    except HarnessError as error:
        if ASTRAY.search(str(error)):
            return Cell(CAUGHT, 1, 0, "looking for points", str(error))
        raise
    require_what_it_needs(rows)
    failed = sorted(filter(is_caught, rows), key=lambda row: row.point)
    unknown = [row for row in rows if row.verdict == "unknown" and not is_caught(row)]
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


@pytest.mark.parametrize(("planted", "domain"), ASKED, ids=str)
def test_a_defect_is_caught_by_the_domains_that_the_page_names(ground, usual, planted, domain):
    cell = look(ground, planted, domain, usual)
    keep(planted, domain, cell)
    assert cell.points, "nothing was struck"
    assert cell.word == table(PAGE.read_text())[planted.name][domain], cell


@pytest.mark.parametrize(
    ("planted", "domain"),
    PASSING,
    ids=[f"{domain}-{one.step}-{one.direction}" for one, domain in PASSING],
)
def test_the_engine_as_it_is_passes_where_defects_are_caught(ground, usual, planted, domain):
    rows = explore(ground, domain, planted, usual)
    require_what_it_needs(rows)
    assert rows, "nothing was struck"
    assert [row for row in rows if row.verdict != "pass" or not row.fired] == []


@pytest.mark.parametrize("planted", DEFECTS, ids=lambda planted: planted.name)
def test_only_a_disturbed_run_shows_a_hidden_defect(harness_server, ground, planted):
    bad = replace(ground, prepare=planted.prepare)
    with workers.pool(1) as processes:
        found = processes.submit(undisturbed, bad, harness_server.dsn()).result()
    assert (found == []) is planted.hidden, found


def test_every_defect_is_caught_by_some_domain():
    found = table(PAGE.read_text())
    assert list(found) == [planted.name for planted in DEFECTS]
    for planted in DEFECTS:
        asked = [*(set(FOUR) - {*planted.unasked}), *dict(planted.elsewhere)]
        left = {domain for domain in DOMAINS if found[planted.name][domain] == UNASKED}
        assert left == {*DOMAINS} - {*asked}
    assert [name for name, row in found.items() if CAUGHT not in row.values()] == []


def test_the_page_says_what_each_defect_is_and_which_one_domain_alone_catches():
    page = PAGE.read_text()
    for planted in DEFECTS:
        assert f"- `{planted.name}`: {planted.told}" in page
    told = re.findall(r"^- `(\w+)`: (\w+) alone of the four", page, re.MULTILINE)
    assert dict(told) == only_one(table(page))


def test_what_one_of_the_four_catches_alone_the_other_two_are_asked_about():
    """Would let "alone" stand for domains that nobody asked."""
    found = table(PAGE.read_text())
    asked = {planted.name: set(dict(planted.elsewhere)) for planted in DEFECTS}
    for name in only_one(found):
        assert asked[name] == {*DOMAINS} - {*FOUR}
        others = sorted(domain for domain in asked[name] if found[name][domain] == CAUGHT)
        (said,) = re.findall(rf"^- `{name}`: \w+ alone of the four(.*)", PAGE.read_text(), re.M)
        assert sorted(re.findall("tampered|environment", said.partition(" catches ")[0])) == others


def test_every_defect_of_the_module_is_planted():
    plain = {
        name
        for name, function in inspect.getmembers(engine_defects, inspect.isfunction)
        if function.__module__ == engine_defects.__name__
        and not name.startswith("_")
        and not inspect.signature(function).parameters
    }
    assert plain == {planted.name for planted in DEFECTS}
