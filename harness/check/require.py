"""Whether a verdict allows this plan to be run: GO, of this plan, and not too old."""

from __future__ import annotations

from datetime import datetime, timedelta

from harness.check.judgement import AGAIN, Judgement
from harness.errors import Refused

SKEW = timedelta(minutes=5)  # two clocks that agree may still be this far apart


def refuse_unless_go(
    judgement: Judgement, plan_hash: str, *, now: datetime, max_age_hours: float | None = None
) -> None:
    """Raise Refused with every objection: not GO, another plan, too old, or not yet made.

    Without `max_age_hours` a verdict of any age will do.
    """
    found = objections(judgement, plan_hash, now=now, max_age_hours=max_age_hours)
    if found:
        raise Refused("; ".join(found), where=str(judgement.path), hint=AGAIN)


def objections(
    judgement: Judgement, plan_hash: str, *, now: datetime, max_age_hours: float | None = None
) -> list[str]:
    """Why this verdict does not allow this plan; empty when it does."""
    found = []
    if judgement.word != "GO":
        why = f" because {judgement.reasons[0]}" if judgement.reasons else ""
        found.append(f"the verdict is {judgement.word}{why}")
    if judgement.plan_hash != plan_hash:
        found.append(
            f"the verdict was given on another plan: it carries hash {judgement.plan_hash[:12]},"
            f" this plan has {plan_hash[:12]}"
        )
    age = now - judgement.judged_at
    if age < -SKEW:
        found.append(f"the verdict is dated in the future, {judgement.judged_at.isoformat()}")
    elif max_age_hours is not None and age > timedelta(hours=max_age_hours):
        hours = age.total_seconds() / 3600
        found.append(f"the verdict is {hours:.1f} h old, the plan allows {max_age_hours:g} h")
    return found
