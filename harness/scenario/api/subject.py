"""Whether a subject names an API of its schema, and what it says of it."""

from __future__ import annotations

from harness.check.contract.settings import ContractSettings, contract_settings
from harness.subject.choice import particulars_of
from harness.subject.plan import PlanSubject
from harness.subject.project import find_project
from harness.subject.protocol import Subject


def api_of(subject: Subject) -> ContractSettings | None:
    """The settings of the subject's contract; None where it has none, or it names no API.

    Raises UsageError, with file and line, for a contract.toml that cannot be read.
    """
    project = find_project()
    plan = subject.plan if isinstance(subject, PlanSubject) else None
    named = particulars_of(plan.name if plan else None, project).contract
    beside = plan.root / "contract" if plan is not None else None
    directory = project.root / named if named and project is not None else beside
    if directory is None or not directory.is_dir():
        return None
    found = contract_settings(directory)
    return found if found.api is not None else None
