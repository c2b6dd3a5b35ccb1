"""Plans: read, check and hash them; what a step is."""

from harness.plan.load import load
from harness.plan.model import (
    KINDS,
    Kind,
    Phase,
    Plan,
    Preflight,
    RunnerSettings,
    Script,
    Statement,
    Step,
)

__all__ = [
    "KINDS",
    "Kind",
    "Phase",
    "Plan",
    "Preflight",
    "RunnerSettings",
    "Script",
    "Statement",
    "Step",
    "load",
]
