"""Why it is NO-GO, told by cause: one sentence, step and file, a row before and after, and which
findings lie beneath. One broken backfill makes a hundred tests fail; a reader wants the backfill.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from harness.core.finding import Finding
from harness.document.verify import VerifyDocument

# As verify and the suites say it: 7: first_name is 'BETTY', expected 'Betty'
VALUE = re.compile(r"(?P<key>\S+): (?P<column>\w+) is (?P<is>.+?), expected (?P<expected>.+)$")
COUNTED = (  # what is said of a whole row, and what there was and is
    (re.compile(r"(?P<key>\S+): the row is missing$"), "one row", "none"),
    (re.compile(r"(?P<key>\S+): a row that should not be there$"), "none", "one row"),
    (re.compile(r"(?P<key>\S+): (?P<is>\d+ rows), (?P<expected>\d+) expected$"), "", ""),
)
SQL_FILE = re.compile(r"([\w./-]*phases/[\w./-]+\.sql):(\d+)")
VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{8,}\b|\d+")
SHORTEST = 4  # letters of a value by which a row is known again


class ColumnWrite(Protocol):
    """Where a column is written."""

    @property
    def step(self) -> str:
        """The step."""
        ...

    @property
    def where(self) -> str:
        """File and line."""
        ...


FindWrite = Callable[[str, str], ColumnWrite | None]  # by relation and column
FindNamed = Callable[
    [str, bool], ColumnWrite | None
]  # by a text; whether the way back is looked for


def _nowhere(_text: str, _back: bool) -> None:
    return None


@dataclass(frozen=True)
class ShownRow:
    """One row that shows it: a column before and after the migration."""

    relation: str
    key: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class _Line:
    """One line of evidence: without a column, of a whole row."""

    key: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class ReportedCause:
    """A sentence and what lies beneath: `findings` by their ids, `tests` by their node ids."""

    sentence: str
    step: str = ""
    file: str = ""
    row: ShownRow | None = None
    findings: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    replay: str = ""


@dataclass(frozen=True)
class _Root:
    """A relation whose rows are wrong, with what it can be known again by."""

    cause: ReportedCause
    relation: str
    columns: frozenset[str]
    values: frozenset[str]
    beneath: list[Finding] = field(default_factory=list)

    def score(self, text: str) -> int:
        """How much a text speaks of it."""
        names = 3 * any(re.search(rf"\b{re.escape(name)}\b", text) for name in self.columns)
        return names + 2 * any(value in text for value in self.values) + (self.relation in text)


def told(
    findings: Sequence[Finding],
    verify: VerifyDocument | None,
    write: FindWrite,
    named: FindNamed = _nowhere,
) -> list[ReportedCause]:
    """The causes of the critical findings, the one with the most beneath it first."""
    critical = [finding for finding in findings if finding.severity == "critical"]
    rows = _rooted([one for one in critical if _wrong(one)], verify, write)
    rest = [one for one in critical if not any(one in root.beneath for root in rows)]
    for finding in list(rest):
        best = _best(rows, finding)
        if best is not None:
            best.beneath.append(finding)
            rest.remove(finding)
    causes = [_with_findings(root.cause, root.beneath) for root in rows] + _alike(rest, named)
    return sorted(causes, key=lambda cause: -len(cause.findings))


def document(causes: Iterable[ReportedCause]) -> list[dict[str, Any]]:
    """As the verdict carries them."""
    return [asdict(cause) for cause in causes]


def _wrong(finding: Finding) -> list[_Line]:
    """The lines of a finding of evidence that name wrong values or rows; none of a test's."""
    if "::" in finding.where:
        return []
    lines = (_line(line) for line in finding.evidence.splitlines())
    return [line for line in lines if line is not None]


def _line(text: str) -> _Line | None:
    if found := VALUE.search(text):
        return _Line(found["key"], found["column"], _bare(found["expected"]), _bare(found["is"]))
    for pattern, before, after in COUNTED:
        if found := pattern.search(text):
            given = found.groupdict()
            before, after = given.get("expected", before), given.get("is", after)
            return _Line(found["key"], "", before, after)
    return None


def _rooted(
    findings: Sequence[Finding], verify: VerifyDocument | None, write: FindWrite
) -> list[_Root]:
    """Roots: where a step writes the column; what merely shows the same values lies beneath."""
    made = [(_root(finding, verify, write), finding) for finding in findings]
    made.sort(key=lambda pair: not pair[0].cause.step)
    roots: list[_Root] = []
    for root, finding in made:
        same = next((one for one in roots if _shows(one, root)), None)
        if same is None:
            roots.append(root)
        (same or root).beneath.append(finding)
    return roots


def _shows(one: _Root, other: _Root) -> bool:
    if one.cause.step and one.cause.step == other.cause.step:
        return True
    if other.cause.step:
        return False
    shown = " ".join(other.values)
    return bool(one.columns & other.columns) or any(value in shown for value in one.values)


def _root(finding: Finding, verify: VerifyDocument | None, write: FindWrite) -> _Root:
    lines, relation = _wrong(finding), finding.where
    columns = dict.fromkeys(line.column for line in lines)
    writes = {column: found for column in columns if (found := write(relation, column))}
    column = next(iter(writes), lines[0].column)
    first = next(line for line in lines if line.column == column)
    found = writes.get(column)
    what = f"{relation}.{column}" if column else f"rows of {relation}"
    number = _number(finding, verify)
    sentence = f"step {found.step} leaves {what} wrong" if found else f"{what}: wrong"
    row = ShownRow(relation, first.key, column, first.before, first.after)
    cause = ReportedCause(
        f"{sentence}{number}", found.step if found else "", found.where if found else "", row
    )
    values = frozenset(line.after for line in lines if len(line.after) >= SHORTEST and line.column)
    names = frozenset(name for name in columns if name)
    return _Root(cause, relation.split(".")[-1].strip('"'), names, values)


def _number(finding: Finding, verify: VerifyDocument | None) -> str:
    for relation in verify.relations if verify else ():
        if relation.id == finding.id:
            return f" in {relation.wrong:,} of {relation.expected:,} rows"
    return ""


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _best(roots: Sequence[_Root], finding: Finding) -> _Root | None:
    """The root that a finding lies beneath: what it names; with one root, any difference."""
    text = _said(finding)
    if not roots or SQL_FILE.search(text):
        return None
    best = max(roots, key=lambda root: root.score(text))
    compared = "::" in finding.where and ("assert" in text or "AssertionError" in text)
    return best if best.score(text) or (len(roots) == 1 and compared) else None


def _said(finding: Finding) -> str:
    """What a finding says: of a test what pytest says of the failure, not its source."""
    if "::" not in finding.where:
        return f"{finding.where} {finding.message} {finding.evidence}"
    lines = [line[1:] for line in finding.evidence.splitlines() if line.startswith("E ")]
    return "\n".join((finding.message, *lines))


def _alike(findings: Sequence[Finding], named: FindNamed) -> list[ReportedCause]:
    """The rest: what fails in one place of one file, or says the same, has one cause."""
    groups: dict[str, list[Finding]] = {}
    places: dict[str, re.Match[str]] = {}
    for finding in findings:
        found = SQL_FILE.search(_said(finding))
        same = found[0] if found else VARYING.sub("…", finding.message)
        groups.setdefault(same, []).append(finding)
        if found:
            places[same] = found
    return [_of_group(group, places.get(same), named) for same, group in groups.items()]


def _of_group(group: list[Finding], place: re.Match[str] | None, named: FindNamed) -> ReportedCause:
    first = next((one for one in group if "::" not in one.where), group[0])  # it says it best
    if place:
        phase, _, name = place[1].partition("phases/")[2].partition("/")
        step = f"{phase.split('_')[0]}/{name.split('.')[0]}"
        said = first.message.removeprefix("AssertionError: ").strip()
        return _with_findings(ReportedCause(said, step, place[0]), group)
    found = named(first.message, "rollback" in first.where or "-> 'absent'" in first.message)
    step, file = (found.step, found.where) if found else ("", "")
    return _with_findings(ReportedCause(f"{first.where}: {first.message}", step, file), group)


def _with_findings(cause: ReportedCause, findings: Sequence[Finding]) -> ReportedCause:
    tests = tuple(dict.fromkeys(one.where for one in findings if "::" in one.where))
    return replace(cause, findings=tuple(one.id for one in findings), tests=tests)
