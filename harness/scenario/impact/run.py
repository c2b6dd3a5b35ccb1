"""A whole run: the map, every artifact rewritten, every query judged, the files written."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from harness.artifact.file import MetricLabels, RewrittenArtifact, labels_of, rewrite_artifact
from harness.artifact.inside.model import DatabasePair
from harness.artifact.learn import learn_map, refuse_empty
from harness.artifact.mapfile import NAME, Declaration, describe_map, read_declaration
from harness.artifact.proof.compare import QueryOutcome
from harness.artifact.proof.judge import Prover
from harness.artifact.proof.run import ReadSession, reader_role
from harness.artifact.renames import RenameMap
from harness.artifact.text.tree import spell_path
from harness.core.finding import Finding
from harness.database import admin
from harness.document.base import Word
from harness.document.impact import (
    ArtifactDocument,
    ImpactDocument,
    InsideDocument,
    QueryDocument,
)
from harness.scenario.impact.api import look_at_subject
from harness.scenario.impact.clones import Clones, before_and_after
from harness.scenario.impact.files import (
    FoundFiles,
    NamedFile,
    list_files,
    mentions,
    read_files,
    targets,
    write_file,
)
from harness.scenario.impact.findings import judged_findings, refused_findings
from harness.scenario.impact.inside import inside_findings, look_inside
from harness.scenario.impact.settings import ImpactSettings

__all__ = ["ImpactSettings", "run_impact"]

Results = list[tuple[NamedFile, RewrittenArtifact, list[QueryDocument]]]


def run_impact(settings: ImpactSettings, given: Clones | None = None) -> ImpactDocument:
    """Rewrite and judge; the document. Raises UsageError before a server is started where it can.

    Files are written last, when everything else is done. Without `given` clones they are made, on
    a server of their own.
    """
    began = time.monotonic()
    out = settings.out.resolve() if settings.out is not None else None
    found = read_files(list_files(settings.paths, out))
    places = targets(
        [named for named, _ in found.artifacts], write=settings.write, out=settings.out
    )
    declared = find_declaration(settings)
    with (
        nullcontext(given)
        if given is not None
        else before_and_after(
            settings.subject,
            rows=settings.rows,
            seed=settings.seed,
            provider=settings.server,
            version=settings.pg_version,
        ) as clones
    ):
        renames, results, findings, inside = _judged(settings, clones, found, declared)
        # its requests move sequences: it looks at databases that are nobody else's
        api = None if given is not None else look_at_subject(settings, clones, renames)
    for named, made, _ in results:
        if named in places:
            write_file(named.path, places[named], made.text)
    documents = [
        ArtifactDocument(
            file=str(named.path),
            kind=made.artifact.kind.name,
            queries=queries,
            edits=made.edits,
            written=str(places[named]) if named in places else None,
        )
        for named, made, queries in results
    ]
    findings = [*found.findings, *findings, *mentions(found.others, changed_names(renames))]
    findings += api.findings if api is not None else []
    counts: Counter[str] = Counter(query.outcome for one in documents for query in one.queries)
    return ImpactDocument(
        verdict=_verdict(counts, findings, inside, named=bool(settings.paths)),
        inside=inside,
        api=api,
        artifacts=documents,
        findings=findings,
        counts={**counts, "artifacts": len(documents), "edits": sum(d.edits for d in documents)},
        map=describe_map(renames),
        others=[str(named.path) for named in found.others],
        role=settings.role,
        seconds=round(time.monotonic() - began, 2),
    )


def find_declaration(settings: ImpactSettings) -> Declaration:
    """What is said of the map: by the file beside the subject, and over it by that of --map."""
    beside = settings.subject.root / NAME
    found = read_declaration(beside) if beside.is_file() else Declaration()
    return read_declaration(settings.map_path).over(found) if settings.map_path else found


def changed_names(renames: RenameMap) -> list[str]:
    """The names of relations and columns that are called otherwise."""
    names = set()
    for one in renames.changes.values():
        if one.new is not None and one.new.name != one.old.name:
            names.add(one.old.name.name)
        names |= {old for old, new in one.columns.items() if old != new}
    return sorted(names, key=len, reverse=True)


def _judged(
    settings: ImpactSettings, clones: Clones, found: FoundFiles, declared: Declaration
) -> tuple[RenameMap, Results, list[Finding], list[InsideDocument]]:
    with admin.connection(clones.before) as old, admin.connection(clones.after) as new:
        renames = learn_map(old, new, declared)
        if settings.paths:
            refuse_empty(renames)
        pair = DatabasePair(old, new, renames, settings.timeout)
        inside = look_inside(pair, declared) if settings.looks_inside else []
    first, second = clones.before, clones.after
    if settings.back:
        renames, first, second = renames.inverse(), second, first
    rewritten = rewrite_all(found, renames)
    moment = datetime.now(UTC).isoformat()
    with reader_role(clones.server, settings.role) as reader:
        before = ReadSession(first, reader, settings.timeout)
        after = ReadSession(second, reader, settings.timeout)
        prover = Prover(before, after, renames, moment)
        try:
            results, findings = _prove(prover, rewritten, declared)
        finally:
            before.close()
            after.close()
    return renames, results, [*findings, *inside_findings(inside, alone=not settings.paths)], inside


def rewrite_all(found: FoundFiles, renames: RenameMap) -> list[tuple[NamedFile, RewrittenArtifact]]:
    """Rewrite every artifact; those that name labels of metrics after those that make them."""
    exports = [
        rewrite_artifact(one, renames, MetricLabels())
        for _, one in found.artifacts
        if one.kind.exports
    ]
    labels = labels_of(exports)
    return [(named, rewrite_artifact(one, renames, labels)) for named, one in found.artifacts]


def _prove(
    prover: Prover, rewritten: list[tuple[NamedFile, RewrittenArtifact]], declared: Declaration
) -> tuple[Results, list[Finding]]:
    results: Results = []
    findings: list[Finding] = []
    for named, made in rewritten:
        queries = []
        for query, result, judged in prover.judge(made):
            key = f"{named.below}#{spell_path(query.path)}"
            reason = declared.same.get(key)
            document = _query(made, query.path, bool(result.edits), judged, reason)
            queries.append(document)
            findings += judged_findings(named.path, document, judged)
        findings += refused_findings(named.path, made)
        results.append((named, made, queries))
    return results, findings


def _query(
    made: RewrittenArtifact, path: Any, rewritten: bool, judged: QueryOutcome, declared: str | None
) -> QueryDocument:
    spot = made.artifact.tree.spots[path]
    accepted = declared is not None and judged.outcome in ("differs", "cannot", "unknown")
    return QueryDocument(
        path=spell_path(path),
        line=made.artifact.text.count("\n", 0, spot.start) + 1,
        outcome="declared" if accepted else judged.outcome,
        rewritten=rewritten,
        rows=judged.rows,
        reason=f"{judged.reason}; declared: {declared}" if accepted else judged.reason,
        sqlstate=judged.sqlstate,
    )


def _verdict(
    counts: Counter[str],
    findings: Sequence[Finding],
    inside: Sequence[InsideDocument],
    *,
    named: bool,
) -> Word:
    """Pass: everything was judged the same, or its difference declared; and there was something."""
    if any(one.severity == "critical" for one in findings):
        return "fail"
    judged = counts["same"] + counts["declared"] if named else len(inside)
    if counts["unknown"] or not judged or any(one.severity == "warning" for one in inside):
        return "unknown"
    return "pass"
