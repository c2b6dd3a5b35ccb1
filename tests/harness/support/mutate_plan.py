"""Mutants of a small plan, and the settings of a run that judges them."""

from __future__ import annotations

from harness.scenario.mutate.run import MutateSettings
from tests.harness.support import mutate_judges
from tests.harness.support.runner import SmallPlan

JUDGES = mutate_judges.__name__


def settings(small: SmallPlan, judge: str, **more: object) -> MutateSettings:
    return MutateSettings(
        plan=small.root / "plan.toml", judge=f"{JUDGES}:{judge}", workers=1, **more
    )  # type: ignore[arg-type]
