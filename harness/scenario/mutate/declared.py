"""Declared equivalents on trial: what a check sees was never equivalent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from harness.document.base import Word
from harness.document.mutate import UNSET, MutateDocument, RefutedMutant
from harness.scenario.mutate.model import MutantResult


def put_on_trial(
    document: MutateDocument, results: Sequence[MutantResult], reasons: Mapping[str, str]
) -> MutateDocument:
    """The document with what the trial says: `refuted` are the declared mutants that a check saw.

    pass when no check saw any of them, unknown when there was none or one could not be judged.
    `reasons` are the declared ones, by id.
    """
    refuted = list(_refuted(results, reasons))
    unknown = not results or any(result.outcome == "unknown" for result in results)
    verdict: Word = "fail" if refuted else "unknown" if unknown else "pass"
    return msgspec.structs.replace(
        document, verdict=verdict, score=None, equivalent=len(results), refuted=refuted
    )


def _refuted(
    results: Sequence[MutantResult], reasons: Mapping[str, str]
) -> Iterator[RefutedMutant]:
    for result in results:
        if result.outcome == "killed":
            mutant = result.mutant
            yield RefutedMutant(
                id=mutant.id,
                declared=reasons[mutant.id],
                by=result.by,
                reason=result.reason,
                diff=mutant.diff,
            )


def words(answer: MutateDocument) -> list[str]:
    """The same for a person: every refuted one with its diff, then how many stand."""
    refuted = () if answer.refuted is UNSET else answer.refuted
    lines = []
    for one in refuted:
        lines += [
            f"refuted: {one.id}",
            *(f"  {line}" for line in one.diff.splitlines()),
            f"  declared: {one.declared}",
            f"  seen by {one.by}: {one.reason}",
            "",
        ]
    lines += [f"unknown: {one.id}: {one.reason}" for one in answer.unknowns]
    lines.append(
        f"equivalents: {answer.verdict}; {len(answer.survivors)} of {answer.equivalent}"
        f" declared stand, {len(refuted)} refuted, {answer.seconds:.1f} s"
    )
    return lines
