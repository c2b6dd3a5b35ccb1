"""The judgement of every query of an artifact: run before, run after, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.artifact.file import RewrittenArtifact, rewrite_query
from harness.artifact.kind.model import FoundQuery
from harness.artifact.proof.compare import Outcome, QueryOutcome, compare_results
from harness.artifact.proof.run import QueryResult, ReadSession
from harness.artifact.proof.statements import is_query, sort_columns, split, stop_time
from harness.artifact.renames import RenameMap
from harness.artifact.sql.grafana import UnexpandedText, expand_grafana
from harness.artifact.sql.nodes import UnparsedSQL
from harness.artifact.sql.rewrite import RewrittenSQL
from harness.core.sqlstate import QUERY_CANCELED, SYNTAX_ERROR

Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Prover:
    """Two sessions, on the clone before and on the clone after, and the map between them."""

    before: ReadSession
    after: ReadSession
    renames: RenameMap
    moment: str

    def judge(
        self, made: RewrittenArtifact
    ) -> Iterator[tuple[FoundQuery, RewrittenSQL, QueryOutcome]]:
        """Judge every query of an artifact that stands for itself."""
        old, new = self._values(made)
        for query, result in made.queries:
            if query.frame:
                continue
            if result.doubts:
                yield query, result, QueryOutcome("refused", result.doubts[0].reason)
            else:
                yield query, result, self._judge(query, result, old, new)

    def _judge(
        self, query: FoundQuery, result: RewrittenSQL, old: Values, new: Values
    ) -> QueryOutcome:
        try:
            first = split(_sent(query, query.text, old))
            second = split(_sent(query, result.text, new))
        except UnexpandedText as error:
            return QueryOutcome("cannot", str(error))
        except UnparsedSQL as error:
            return QueryOutcome("cannot", f"does not parse: {error}", SYNTAX_ERROR)
        if not first:
            return QueryOutcome("unknown", "there is no statement in it")
        judged = [self._pair(*pair, result) for pair in zip(first, second, strict=True)]
        return max(judged, key=_badness)

    def _pair(self, old: str, new: str, result: RewrittenSQL) -> QueryOutcome:
        if not (is_query(old) and is_query(new)):
            return QueryOutcome("cannot", "it is not a query that only reads")
        found = self._compared(old, new, result)
        if found.outcome != "same" and old == new:
            return self._backwards(new) or found
        return found

    def _compared(self, old: str, new: str, result: RewrittenSQL) -> QueryOutcome:
        first = self.before.run(stop_time(old, self.moment))
        if first.failed:
            return _cannot(first, "before")
        second = self.after.run(stop_time(new, self.moment))
        if second.failed:
            return _cannot(second, "after")
        found = compare_results(first, second, self.renames, result.outputs, result.vocabularies)
        if found.reason == "the same rows in another order":
            found = _ordered(old, first, second, found, self, result)
        if found.outcome == "differs" and self.before.run(stop_time(old, self.moment)) != first:
            reason = "it gives another result each time it is run on one database"
            return QueryOutcome("unknown", reason, evidence=found.evidence)
        return found

    def _backwards(self, text: str) -> QueryOutcome | None:
        """The judgement of a query that is of the new schema already: compared with what it is
        when it is rewritten back. None where it is none.
        """
        back = rewrite_query(FoundQuery((), text), self.renames.inverse())
        if back.doubts or not back.edits:
            return None
        outputs = {old: new for new, old in back.outputs.items()}
        vocabularies = {
            back.outputs.get(name, name): pairs.inverse()
            for name, pairs in back.vocabularies.items()
        }
        forward = RewrittenSQL(text, outputs=outputs, vocabularies=vocabularies)
        found = self._compared(back.text, text, forward)
        if found.outcome != "same":
            return None
        return replace(found, reason=found.reason or "it names the schema after already")

    def _values(self, made: RewrittenArtifact) -> tuple[dict[str, Sequence[str]], Values]:
        """The values of the template variables, before and after."""
        found = made.artifact.found
        old: dict[str, Sequence[str]] = {
            name: values for name, values in found.variables.items() if values
        }
        for name, text in found.asked.items():
            if name not in old:
                values = self._asked(text, old)
                if values:
                    old[name] = values
        new = dict(old)
        for _, result in made.queries:
            for name, pairs in result.variables.items():
                if name in old:
                    new[name] = [pairs.pairs.get(value, value) for value in old[name]]
        return old, new

    def _asked(self, text: str, values: Values) -> Sequence[str]:
        try:
            statements = split(expand_grafana(text, values))
            if len(statements) != 1 or not is_query(statements[0]):
                return ()
        except (UnexpandedText, UnparsedSQL):
            return ()
        result = self.before.run(statements[0])
        if result.failed:  # it may be of the new schema already
            result = self.after.run(statements[0])
        names = [column.name for column in result.columns]
        place = names.index("__value") if "__value" in names else 0
        return [row[place] or "" for row in result.rows]


def _sent(query: FoundQuery, text: str, values: Values) -> str:
    return expand_grafana(text, values) if query.dialect == "grafana" else text


def _cannot(result: QueryResult, when: str) -> QueryOutcome:
    place = f" at character {result.position}" if result.position else ""
    reason = f"{when} the migration: {result.message} ({result.sqlstate}){place}"
    # a time limit says nothing about the names
    outcome: Outcome = "unknown" if result.sqlstate == QUERY_CANCELED else "cannot"
    return QueryOutcome(outcome, reason, result.sqlstate)


def _ordered(
    text: str,
    first: QueryResult,
    second: QueryResult,
    found: QueryOutcome,
    prover: Prover,
    result: RewrittenSQL,
) -> QueryOutcome:
    """Whether another order matters: not without ORDER BY, and not among equals."""
    places = sort_columns(text, [column.name for column in first.columns])
    if not places:
        return found if places is None else replace(found, reason="")
    was, now = _keys(first, places), _keys(second, places)
    among = compare_results(was, now, prover.renames, result.outputs, result.vocabularies)
    if among.reason == "the same rows in another order":
        return QueryOutcome("differs", "the same rows are sorted otherwise", rows=found.rows)
    return replace(found, reason="")


def _keys(result: QueryResult, places: Sequence[int]) -> QueryResult:
    """The columns of a result by which it is sorted."""
    columns = tuple(result.columns[n] for n in places)
    return QueryResult(columns, tuple(tuple(row[n] for n in places) for row in result.rows))


def _badness(judged: QueryOutcome) -> int:
    return ("same", "unknown", "differs", "cannot", "refused").index(judged.outcome)
