"""Plans: read, check and hash them; what a step is."""

from harness.plan.load import load
from harness.plan.model import (
    KINDS,
    Kind,
    Phase,
    Plan,
    PreflightRules,
    RunnerSettings,
    Script,
    Statement,
    Step,
)
from harness.plan.rules import DryRunRules, RequireVerdict, ValidateRules, VerifyRules

__all__ = [
    "KINDS",
    "DryRunRules",
    "Kind",
    "Phase",
    "Plan",
    "PreflightRules",
    "RequireVerdict",
    "RunnerSettings",
    "Script",
    "Statement",
    "Step",
    "ValidateRules",
    "VerifyRules",
    "load",
]
