"""What a plan brings to be judged by: a part that is not there is not applicable in a gate.

`harness validate` and `harness verify` say *unknown* of a part that nobody declared absent. The
gate lists it as not applicable instead, so its suites judge a plan that declares it.
"""

from __future__ import annotations

from dataclasses import replace

from harness.check import checkfile
from harness.check.verify import file as verify_file
from harness.plan import Plan

ABSENT = "the plan does not have it"


def has_source_checks(plan: Plan) -> bool:
    """Whether files say what is wrong with rows before the migration."""
    root = plan.root / "checks" / "validate"
    return root.is_dir() and bool(checkfile.load(root))


def has_checks_of_rows(plan: Plan) -> bool:
    """Whether files say what the rows must have become."""
    return bool(verify_file.rows(plan.root / "checks" / "verify" / "rows"))


def has_rules(plan: Plan) -> bool:
    """Whether files check rules of the migrated database."""
    root = plan.root / "checks" / "verify"
    checks = checkfile.load(root) if root.is_dir() else ()
    return bool(checks or verify_file.trials(root / "trials"))


def has_policy(plan: Plan) -> bool:
    """Whether a file says who may do what."""
    return (plan.root / "checks" / "security.toml").is_file()


def with_absences(plan: Plan) -> Plan:
    """The plan, declaring of each part of a verification that it lacks that it lacks it."""
    there = {
        "rows": has_checks_of_rows(plan),
        "rules": has_rules(plan),
        "security": has_policy(plan),
    }
    absent = {part: ABSENT for part, has in there.items() if not has}
    return replace(plan, verify=replace(plan.verify, without=absent | plan.verify.without))
