"""What a gate judges, whatever its kind: a plan with all that it has, or a subject without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness import plan
from harness.plan import Plan
from harness.scenario.gate import provenance
from harness.scenario.gate.settings import GateSettings
from harness.subject.choice import foreign_subject, subject_of
from harness.subject.protocol import Subject


@dataclass(frozen=True)
class JudgedSubject:
    """The subject, and its plan where it is one of ours."""

    subject: Subject
    plan: Plan | None

    @property
    def judged(self) -> dict[str, str]:
        """Its name, version and hash, as a verdict carries them."""
        if self.plan is not None:
            return {"name": self.plan.name, "version": self.plan.version, "hash": self.plan.hash}
        return {"name": self.subject.name, "version": "", "hash": self.subject.hash}

    @property
    def settings(self) -> dict[str, Any]:
        """What may change between runs of it, and what it switched off."""
        if self.plan is not None:
            return provenance.settings(self.plan)
        return {"runner": {}, "switched_off": []}

    @property
    def baseline(self) -> str:
        """The text of the schema before; empty for what has none."""
        if self.plan is not None:
            scripts = self.plan.baseline
            return " ".join(one.text for script in scripts for one in script.statements)
        files = getattr(self.subject, "baseline", ())
        return " ".join(path.read_text("utf-8", "replace") for path in files)

    @property
    def words(self) -> str:
        """What it is, for a person."""
        if self.plan is not None:
            steps = f"{len(self.plan.steps)} steps"
            return f"{self.plan.name} {self.plan.version}, {steps}, {self.plan.hash[:12]}"
        return f"{self.subject.name}, {self.subject.hash[:12]}"


def target_of(settings: GateSettings) -> JudgedSubject:
    """The target as its files are now. Raises UsageError for one that cannot be read."""
    if settings.plan is not None:
        loaded = plan.load(settings.plan)
        return JudgedSubject(subject_of(loaded, settings.project), loaded)
    project = settings.project
    assert project is not None, "without a plan it is the subject of a project"
    return JudgedSubject(foreign_subject(project, trusted=settings.trusted), None)
