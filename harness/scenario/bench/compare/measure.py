"""A round: for each share of the pairs fresh servers for both arms, and their runs taking turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from harness.core.quantity import duration
from harness.scenario.bench.compare.arm_process import ArmRun, InstalledArm
from harness.scenario.bench.compare.block import ArmBlock, ServerWish, open_block
from harness.scenario.bench.compare.budget import TimeBudget, TimeNeed, drop_beyond
from harness.scenario.bench.compare.decision import judge_round
from harness.scenario.bench.compare.likeness import (
    LOOP_RULE,
    refuse_unlike,
    refuse_unlike_speed,
)
from harness.scenario.bench.compare.rule import DecisionRule
from harness.scenario.bench.compare.sample import ARMS, Arm, ArmSample, SamplePair, order_of
from harness.scenario.bench.compare.workloads import LOOP, BenchWorkload

TOO_MUCH: Final = 40
"""A first run of both arms may take so small a part of the time that is left: 100 follow."""
TRYING: Final = 90.0
"""Seconds in which the first runs are tried where the time is limited, the cheapest first."""
Tell = Callable[[str], None]


class RunFailed(Exception):  # noqa: N818 - reads as what happened
    """A run of an arm did not come to an end that can be compared."""


@dataclass
class RoundMeasured:
    """What a round came to. Each benchmark is in one of `pairs`, `failed`, `dropped`, `lacking`."""

    pairs: dict[str, list[SamplePair]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, float | None] = field(default_factory=dict)
    lacking: dict[str, Arm] = field(default_factory=dict)
    versions: dict[Arm, str] = field(default_factory=dict)
    postgres: str = ""
    loop: dict[Arm, float] = field(default_factory=dict)


@dataclass
class RoundPlan:
    """What is measured, of what, by which rule, in which time."""

    arms: Mapping[Arm, InstalledArm]
    workloads: Sequence[BenchWorkload]
    wish: ServerWish
    rule: DecisionRule
    budget: TimeBudget
    confirming: bool
    tell: Tell


def measure_round(plan: RoundPlan) -> RoundMeasured:
    """All pairs of the benchmarks that fit into the time; raises UsageError for unlike arms."""
    return _Round(plan).measured()


class _Round:
    def __init__(self, plan: RoundPlan) -> None:
        self._plan = plan
        self._found = RoundMeasured(pairs={one.name: [] for one in plan.workloads})
        self._costs: dict[str, float] = {}
        self._opening = 0.0

    def measured(self) -> RoundMeasured:
        for number in range(self._plan.rule.servers):
            if self._alive():
                self._block(number)
        return self._found

    def _alive(self) -> list[BenchWorkload]:
        return [one for one in self._plan.workloads if one.name in self._found.pairs]

    def _block(self, number: int) -> None:
        begun = time.monotonic()
        self._plan.tell(f"{self._title(number)}: starting")
        with self._opened(number) as blocks:
            self._look(number, blocks)
            opened = time.monotonic() - begun - _furnishing(blocks)
            for workload in self._alive():
                if self._plan.budget.is_limited and time.monotonic() - begun > TRYING:
                    self._leave_out(workload.name)
                    continue
                self._try(workload, partial(self._warm_up, blocks, workload))
                self._opening = opened + _furnishing(blocks)
                self._drop(self._plan.rule.servers - 1 - number)
            for workload in self._alive():
                self._try(workload, partial(self._share, blocks, workload, number))

    def _title(self, number: int) -> str:
        what = "confirming, servers" if self._plan.confirming else "servers"
        return f"{what} {number + 1} of {self._plan.rule.servers}"

    @contextmanager
    def _opened(self, number: int) -> Iterator[dict[Arm, ArmBlock]]:
        """Both arms on fresh servers, each first in every second block."""
        blocks: dict[Arm, ArmBlock] = {}
        with ExitStack() as stack:
            for arm in ARMS if number % 2 == 0 else ARMS[::-1]:
                one = open_block(self._plan.arms[arm], self._plan.wish, self._plan.budget)
                blocks[arm] = stack.enter_context(one)
            self._leave_out_lacking(blocks)
            yield blocks

    def _leave_out_lacking(self, blocks: Mapping[Arm, ArmBlock]) -> None:
        for arm, block in blocks.items():
            self._found.versions[arm] = block.hello.version
            for workload in self._alive():
                if not workload.is_in(block.hello):
                    self._found.lacking[workload.name] = arm
                    del self._found.pairs[workload.name]

    def _look(self, number: int, blocks: Mapping[Arm, ArmBlock]) -> None:
        facts = {arm: block.facts() for arm, block in blocks.items()}
        refuse_unlike(facts)
        self._found.postgres = facts["base"].version
        if number == 0:
            pairs = [
                self._pair(blocks, LOOP, pair, LOOP_RULE.inner) for pair in range(LOOP_RULE.pairs)
            ]
            commits = {arm: block.arm.commit for arm, block in blocks.items()}
            refuse_unlike_speed(judge_round(pairs, commits, LOOP_RULE))
            for arm in ARMS:
                self._found.loop[arm] = min(min(pair.of(arm).seconds) for pair in pairs)

    def _try(self, workload: BenchWorkload, work: Callable[[], None]) -> None:
        try:
            work()
        except RunFailed as failed:
            self._found.failed[workload.name] = str(failed)
            self._plan.tell(f"  {workload.name}: {failed}")
            self._found.pairs.pop(workload.name, None)

    def _warm_up(self, blocks: Mapping[Arm, ArmBlock], workload: BenchWorkload) -> None:
        """Runs that are not measured; the last one says what a run costs."""
        for number in range(self._plan.rule.warm):
            begun = time.monotonic()
            furnishing = _furnishing(blocks)
            if workload.name not in self._found.pairs:
                return
            runs = {arm: _run(block, workload) for arm, block in blocks.items()}
            spent = time.monotonic() - begun - (_furnishing(blocks) - furnishing)
            self._costs[workload.name] = spent / len(ARMS)
            if number == 0 and spent > self._plan.budget.left / TOO_MUCH:
                self._leave_out(workload.name)
        if runs["base"].status != runs["head"].status:
            ends = ", ".join(f"{arm} {run.status}: {run.said}" for arm, run in runs.items())
            raise RunFailed(f"the arms end differently ({ends})")

    def _share(self, blocks: Mapping[Arm, ArmBlock], workload: BenchWorkload, number: int) -> None:
        rule = self._plan.rule
        pairs = self._found.pairs[workload.name]
        share = rule.pairs // rule.servers
        begun = time.monotonic()
        for pair in range(number * share, (number + 1) * share):
            if self._plan.budget.left < self._costs[workload.name] * 2 * rule.inner:
                self._leave_out(workload.name)
                return
            pairs.append(self._pair(blocks, workload, pair, rule.inner))
        self._costs[workload.name] = (time.monotonic() - begun) / (share * 2 * rule.inner)
        self._plan.tell(
            f"{self._title(number)}: {workload.name}, {len(pairs)} of {rule.pairs} pairs"
        )

    def _pair(
        self, blocks: Mapping[Arm, ArmBlock], workload: BenchWorkload, number: int, inner: int
    ) -> SamplePair:
        runs: dict[Arm, list[ArmRun]] = {arm: [] for arm in ARMS}
        for arm in order_of(number, inner):
            runs[arm].append(_run(blocks[arm], workload))
        return SamplePair(*(_sample(runs[arm], blocks[arm].name) for arm in ARMS))

    def _drop(self, blocks_left: int) -> None:
        rule = self._plan.rule
        whole = rule.pairs * 2 * rule.inner + rule.servers * 2 * rule.warm
        share = rule.pairs // rule.servers * 2 * rule.inner
        needs = {
            one.name: TimeNeed(
                self._costs[one.name] * (share + blocks_left * (share + 2 * rule.warm)),
                self._costs[one.name] * whole,
            )
            for one in self._alive()
            if one.name in self._costs
        }
        opening = self._opening * (blocks_left if self._plan.confirming else rule.servers)
        for name in drop_beyond(
            needs, self._plan.budget.left, opening=opening, confirm=not self._plan.confirming
        ):
            self._leave_out(name)

    def _leave_out(self, name: str) -> None:
        rule = self._plan.rule
        cost = self._costs.get(name)
        whole = None if cost is None else cost * rule.pairs * 2 * rule.inner
        self._found.dropped[name] = whole
        del self._found.pairs[name]
        why = "those before it took long" if whole is None else f"a round takes {duration(whole)}"
        self._plan.tell(f"  {name} is left out: {why}")


def _furnishing(blocks: Mapping[Arm, ArmBlock]) -> float:
    """How long the databases of both arms took."""
    return sum(block.furnishing for block in blocks.values())


def _run(block: ArmBlock, workload: BenchWorkload) -> ArmRun:
    done = block.run(workload)
    if done.status not in workload.statuses:
        raise RunFailed(f"fails in {block.arm.arm}, status {done.status}: {done.said}")
    return done


def _sample(runs: Sequence[ArmRun], server: str) -> ArmSample:
    """The runs of an arm in a pair; what they said of themselves must be of one ref, in a row."""
    commits = {run.commit for run in runs}
    warmth = [run.warmth for run in runs]
    in_a_row = warmth == list(range(warmth[0], warmth[0] + len(runs)))
    return ArmSample(
        commit=commits.pop() if len(commits) == 1 else "several refs",
        server=server,
        warmth=warmth[0] if in_a_row else -1,
        begun=[run.begun for run in runs],
        seconds=[run.seconds for run in runs],
    )
