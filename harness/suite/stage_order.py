"""In which order a judge asks its stages: what found something in a neighbour is asked first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.core.errors import Refused, StepFailed, Stopped
from harness.scenario.mutate.judging import Case
from harness.suite.scene import Remark, Scene, Stage

Place = tuple[str | None, str, int]


@dataclass(frozen=True)
class Stages:
    """The checks of a judge, the cheapest first; all others stand on the first.

    `last` are those of the clean-up: a step's defect is seen before it. `found` remembers, in this
    process, which stages have found defects in a statement.
    """

    forward: tuple[Stage, ...]
    rollback: tuple[Stage, ...]
    last: tuple[Stage, ...] = ()
    found: dict[Place, Counter[Stage]] = field(default_factory=dict)

    def ask(self, scene: Scene, only: tuple[str, ...] = ()) -> Iterator[Remark]:
        """Every stage's remarks, or those of `only` the stages of these names; then drop all."""
        case = scene.case
        place = (case.step, case.direction, case.line)
        try:
            for stage in self._of(case, place):
                if stage in self.last and not only and case.step is not None:
                    continue  # a step's defect is seen before the clean-up
                if only and name_of(stage) not in only:
                    continue
                for name, findings in _remarks(stage, scene):
                    if findings:
                        self.found.setdefault(place, Counter())[stage] += 1
                    yield name, findings
        finally:
            scene.close()

    def _of(self, case: Case, place: Place) -> tuple[Stage, ...]:
        """A defect of the clean-up alone is seen after it, or nowhere."""
        if case.plan.cleanup != case.original.cleanup and case.plan.phases == case.original.phases:
            return self.last
        stages = self.forward if case.direction == "forward" else self.rollback
        return (*self._in_turn(stages, place), *self.last)

    def _in_turn(self, stages: Sequence[Stage], place: Place) -> list[Stage]:
        first, *rest = stages
        found = self.found.get(place, Counter())
        return [first, *sorted(rest, key=lambda stage: -found[stage])]


def name_of(stage: Stage) -> str:
    """The name of a stage: its function's."""
    return str(getattr(stage, "__name__", "")).strip("_")


def _remarks(stage: Stage, scene: Scene) -> Iterator[Remark]:
    try:
        yield from stage(scene)
    except (Refused, StepFailed, Stopped) as error:
        yield name_of(stage), [str(error)]
