"""What was found, as it is told: by cause, portable, with lines that show it again anywhere."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.core.finding import Finding
from harness.document.verify import VerifyDocument
from harness.plan import Plan
from harness.plan.writers import StepWrite, Writers
from harness.report import causes
from harness.report.portable import portable
from harness.scenario.gate.settings import GateSettings
from harness.scenario.gate.shipped import HOME
from harness.server import Server
from harness.subject.choice import is_default_plan


@dataclass(frozen=True)
class SuiteReplay:
    """Lines that run a test, or the gate, on the same server, rows and seed."""

    settings: GateSettings
    server: Server

    def test(self, nodeid: str) -> str:
        """One test alone."""
        named = shlex.quote(nodeid)
        if nodeid.startswith(f"{HOME}/"):  # it is run from wherever the harness is installed
            file, separator, test = nodeid.partition("::")
            module = file.removesuffix(".py").replace("/", ".")
            named = f"-p harness.pytest_plugin --pyargs {shlex.quote(module + separator + test)}"
        return f"python -m pytest {named} {self._options('pg-')} --keep-failed"

    def gate(self) -> str:
        """The whole gate."""
        return f"harness gate {self._options('')}"

    def _options(self, prefix: str) -> str:
        told = {
            "server": self.server.provider,
            f"{'' if prefix else 'pg-'}version": self.server.version,
            "rows": self.settings.rows,
            "seed": self.settings.seed,
        }
        root = self.settings.root
        plan = self.settings.plan
        if plan is not None and not is_default_plan(plan, root):
            told["plan"] = os.path.relpath(plan.resolve(), root)
        trusted = " --trust-command" if self.settings.trusted else ""
        return " ".join(f"--{prefix}{name} {value}" for name, value in told.items()) + trusted


@dataclass(frozen=True)
class _Found:
    step: str
    where: str


def by_cause(
    findings: Sequence[Finding],
    compared: VerifyDocument | None,
    plan: Plan | None,
    replay: SuiteReplay,
) -> list[causes.ReportedCause]:
    """The causes, their files named from the root of the checkout; without a plan there is none."""
    if plan is None:
        told = causes.told(findings, compared, lambda _relation, _column: None)
        return [replace(cause, replay=_again(cause, replay)) for cause in told]
    writers = Writers(plan)
    below = os.path.relpath(plan.root.resolve(), replay.settings.root)

    def placed(found: StepWrite | None) -> _Found | None:
        return None if found is None else _Found(found.step, f"{below}/{found.where}")

    told = causes.told(
        findings,
        compared,
        lambda relation, column: placed(writers.of(relation, column)),
        lambda text, back: placed(writers.named(text, back)),
    )
    return [replace(cause, replay=_again(cause, replay)) for cause in told]


def _again(cause: causes.ReportedCause, replay: SuiteReplay) -> str:
    """For wrong rows the test that compares all of them, else the first test, else the gate."""
    comparing = [test for test in cause.tests if cause.row and "test_verify.py" in test]
    tests = [*comparing, *cause.tests]
    return replay.test(tests[0]) if tests else replay.gate()


def retold(findings: Sequence[Finding], replay: SuiteReplay) -> list[Finding]:
    """The findings without this machine's paths, those of tests with a line to run them alone."""
    root = replay.settings.root
    return [
        replace(
            finding,
            where=portable(finding.where, root),
            message=portable(finding.message, root),
            hint=portable(_hint(finding, replay), root),
            evidence=portable(finding.evidence, root),
        )
        for finding in findings
    ]


def _hint(finding: Finding, replay: SuiteReplay) -> str:
    return finding.hint or (replay.test(finding.where) if "::" in finding.where else "")
