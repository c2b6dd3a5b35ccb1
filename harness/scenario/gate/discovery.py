"""Which suites there are: the project's own, the shipped ones beside them, and what is absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.document.verdict import NotApplicable
from harness.plan import Plan
from harness.report.section.registry import list_claims, list_sections
from harness.scenario.gate import census
from harness.scenario.gate.shipped import Shipped, shipped_for
from harness.subject.project import Project

DIRECTORY = Path("tests") / "migration"
"""Where a project has its suites, if its file does not say otherwise."""
PLANTED = ("sabotage",)
"""Suites that judge the checks, not the plan: run with --full."""
APART = ("speed",)
"""Suites that a gate never runs: they measure by the clock."""
NOBODY_S = "the project has no suite of this name, and none is shipped"


@dataclass(frozen=True)
class Suites:
    """What a gate runs. `own` are the files of the project, `shipped` run as they are.

    Of a shard, `whole` names the suites of all the shards.
    """

    root: Path
    directory: Path
    own: tuple[Path, ...]
    shipped: tuple[Shipped, ...]
    left_alone: tuple[Path, ...]
    absent: tuple[Finding, ...]
    not_applicable: tuple[NotApplicable, ...]
    whole: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """The directory of the project's suites, from the root."""
        return self.directory.relative_to(self.root).as_posix()

    @property
    def own_directory(self) -> Path | None:
        """The directory of the project's suites, if it has any."""
        return self.directory if self.directory.is_dir() else None

    @property
    def paths(self) -> tuple[Path, ...]:
        """What pytest is given."""
        own = (self.directory,) if self.own else ()
        return (*own, *(suite.path for suite in self.shipped))

    @cached_property
    def expected(self) -> tuple[str, ...]:
        """The suites without which there is no GO, in the order in which they are told."""
        names = {suite_name(path.relative_to(self.root).as_posix(), self.home) for path in self.own}
        names |= {suite.name for suite in self.shipped}
        names |= {one.id.removeprefix("absent.") for one in self.absent}
        first = [name for name in claimed_suites() if name in names]
        return (*first, *sorted(names.difference(first)))

    @property
    def evidence(self) -> tuple[str, ...]:
        """The evidence without which there is no GO."""
        return tuple(
            section.name
            for section in list_sections()
            if (section.required or section.name in PLANTED) and self._is_due(section.name)
        )

    def _is_due(self, evidence: str) -> bool:
        """Whether a suite runs that leaves it; what no suite is known to leave is always due."""
        leaving = {s for claim in list_claims() if evidence in claim.evidence for s in claim.suites}
        leaving = {evidence} if evidence in leaving else leaving
        return bool(leaving & set(self.expected)) or not leaving

    def defined(self) -> list[census.Defined]:
        """Every test that these suites define, the inherited ones too."""
        there = [path for path in _files(self.directory, "*.py") if path not in self.left_alone]
        found = [test for path in there for test in census.of_file(path, self.root)]
        return found + [
            test for suite in self.shipped for test in census.of_file(suite.path, self.root)
        ]


def discover(
    plan: Plan | None, root: Path, project: Project | None, *, full: bool = False,
    lacking: Mapping[str, str] | None = None,
) -> Suites:  # fmt: skip
    """The suites of a project, or of a plan that stands alone below `root`.

    Without a plan it is the project of another subject. `lacking` are suites for which its database
    turned out to have no part, each with the reason.

    Raises UsageError when the project's file, or what it names, cannot be read.
    """
    return _Search(plan, root, project, full, lacking or {}).found()


@dataclass(frozen=True)
class _Search:
    plan: Plan | None
    root: Path
    project: Project | None
    full: bool
    unfit: Mapping[str, str]

    def found(self) -> Suites:
        there = {self._name(path): path for path in _files(self.directory, "test_*.py")}
        away = {name: path for name, path in there.items() if name in self._apart}
        lacking = {one.name: why for one in self._shipped if (why := one.lacking)}
        lacking |= {name: why for name, why in self.unfit.items() if name not in lacking}
        inherited = {
            name: path
            for name, path in there.items()
            if name in lacking and not census.own_tests(path)
        }
        away |= inherited
        own = {name: path for name, path in there.items() if name not in away}
        shipped = [one for one in self._shipped if one.name not in {*there, *lacking}]
        absent = tuple(self._absent(there, lacking))
        missing = {one.id.removeprefix("absent.") for one in absent}
        running = {*own, *(one.name for one in shipped), *missing}
        others = {name for claim in list_claims() for name in claim.own}
        return Suites(
            root=self.root,
            directory=self.directory,
            own=tuple(own.values()),
            shipped=tuple(one for one in shipped if one.name not in missing),
            left_alone=tuple(away.values()),
            absent=absent,
            not_applicable=tuple(
                NotApplicable(name, lacking.get(name, NOBODY_S))
                for name in claimed_suites()
                if name not in {*running, *others}
            ),
        )

    @property
    def directory(self) -> Path:
        named = self.project.suites.path if self.project else None
        found = (named or self.root / DIRECTORY).resolve()
        if self.project is not None and not found.is_relative_to(self.root):
            raise UsageError(
                f"the suites are in {found}, outside of the project",
                where=self.project.where("suites", "path"),
                hint="a verdict speaks for the files of the project: keep them below its root",
            )
        return found

    @cached_property
    def _shipped(self) -> tuple[Shipped, ...]:
        return shipped_for(self.plan, self.project)

    @property
    def _apart(self) -> tuple[str, ...]:
        return APART if self.full else (*APART, *PLANTED)

    def _name(self, path: Path) -> str:
        return suite_name(path.relative_to(self.directory).as_posix(), "")

    def _absent(self, there: dict[str, Path], lacking: dict[str, str]) -> Iterator[Finding]:
        """What the project asks for and does not have.

        Where it has a directory of suites, that is where they must be: a file that was deleted is
        not made good by the shipped suite of its name.
        """
        project = self.project
        if project is None:
            return
        shipped = set() if self.directory.is_dir() else {one.name for one in self._shipped}
        for name in dict.fromkeys(project.suites.required):
            if name in there or name in lacking or name in shipped or name in self._apart:
                continue
            file = self._file_of(name, project)
            yield Finding(
                f"absent.{name}",
                "critical",
                file,
                f"the suite {name} is asked for by the project file, and {file} is not there",
                "bring it back, or ask for it no more: suites that are shipped run by themselves",
            )

    def _file_of(self, name: str, project: Project) -> str:
        """The file that a suite of that name would be, from the root."""
        parts = name.split("/")
        if not all(part.strip() and part != ".." for part in parts):
            raise UsageError(
                f"{name!r} is not the name of a suite",
                where=project.where("suites"),
                hint='test_claims.py is the suite "claims", more/test_deep.py is "more/deep"',
            )
        path = self.directory.joinpath(*parts[:-1], f"test_{parts[-1]}.py")
        return path.relative_to(self.root).as_posix()


def claimed_suites() -> tuple[str, ...]:
    """The suites that a claim rests on, in the order in which they are told."""
    return tuple(dict.fromkeys(suite for claim in list_claims() for suite in claim.suites))


def suite_name(nodeid: str, home: str) -> str:
    """The suite of a test: its module without test_, with its directory when it is in one."""
    parts = Path(nodeid.split("::")[0]).with_suffix("").parts
    base = Path(home).parts
    inner = parts[len(base) :] if parts[: len(base)] == base else parts[-1:]
    return "/".join((*inner[:-1], inner[-1].removeprefix("test_"))) if inner else nodeid


def _files(directory: Path, pattern: str) -> list[Path]:
    found = sorted(directory.rglob(pattern)) if directory.is_dir() else []
    return [path for path in found if "__pycache__" not in path.parts and path.is_file()]
