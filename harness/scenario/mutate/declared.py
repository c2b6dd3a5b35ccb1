"""Declared equivalents on trial: what a check sees was never equivalent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.scenario.mutate.model import MutantResult


def judgement(results: Sequence[MutantResult], reasons: Mapping[str, str]) -> dict[str, Any]:
    """What the trial says: `refuted` are the declared mutants that a check saw, with its words.

    pass when no check saw any of them, unknown when there was none or one could not be judged.
    `reasons` are the declared ones, by id.
    """
    refuted = [
        {
            "id": result.mutant.id,
            "declared": reasons[result.mutant.id],
            "by": result.by,
            "reason": result.reason,
            "diff": result.mutant.diff,
        }
        for result in results
        if result.outcome == "killed"
    ]
    unknown = not results or any(result.outcome == "unknown" for result in results)
    return {
        "verdict": "fail" if refuted else "unknown" if unknown else "pass",
        "score": None,
        "equivalent": len(results),
        "refuted": refuted,
    }


def words(answer: Mapping[str, Any]) -> list[str]:
    """The same for a person: every refuted one with its diff, then how many stand."""
    lines = []
    for one in answer["refuted"]:
        lines += [
            f"refuted: {one['id']}",
            *(f"  {line}" for line in one["diff"].splitlines()),
            f"  declared: {one['declared']}",
            f"  seen by {one['by']}: {one['reason']}",
            "",
        ]
    lines += [f"unknown: {one['id']}: {one['reason']}" for one in answer["unknowns"]]
    lines.append(
        f"equivalents: {answer['verdict']}; {len(answer['survivors'])} of {answer['equivalent']}"
        f" declared stand, {len(answer['refuted'])} refuted, {answer['seconds']:.1f} s"
    )
    return lines
