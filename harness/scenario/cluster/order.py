"""What a worker is told: names, numbers and hashes; never code, and never a plan's text."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from harness import plan
from harness.core.errors import HarnessError, UsageError
from harness.core.tree_hash import tool_hash
from harness.plan import Plan


@dataclass(frozen=True)
class WorkOrder:
    """A piece of work. A worker takes it only with a plan and a harness of the same hashes.

    `plan` is a path from the directory in which every worker was started.
    """

    kind: Literal["crash", "mutate"]
    plan: str
    plan_hash: str
    tool_hash: str
    seed: int
    server: str
    pg_version: int | None = None
    rows: int = 0
    domains: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    lean: bool = False
    judge: str = ""

    def document(self) -> dict[str, Any]:
        """As plain values, which is all that is sent."""
        told = asdict(self)
        return told | {"domains": list(self.domains), "directions": list(self.directions)}

    @staticmethod
    def read(told: dict[str, Any]) -> WorkOrder:
        """What `document` gave."""
        lists = {name: tuple(told[name]) for name in ("domains", "directions")}
        return WorkOrder(**(told | lists))


def sent_path(path: Path) -> str:
    """A plan's path as every worker finds it; UsageError for one that is not below this place."""
    whole, here = path.resolve(), Path.cwd().resolve()
    if not whole.is_relative_to(here):
        raise UsageError(
            f"the plan is outside of {here}, and no worker would find it",
            where=str(path),
            hint="run from the root of the project, and start every worker in its own copy of it",
        )
    return os.fspath(whole.relative_to(here))


def check_order(order: WorkOrder) -> Plan:
    """The plan that is here; HarnessError with the difference where it is not the one meant."""
    here = tool_hash()
    if here != order.tool_hash:
        raise UsageError(
            f"this harness has hash {here[:12]}, the order is for {order.tool_hash[:12]}",
            hint="install the same version",
        )
    found = plan.load(Path(order.plan))
    if found.hash != order.plan_hash:
        raise UsageError(
            f"the plan here has hash {found.hash[:12]}, the order is for {order.plan_hash[:12]}",
            hint="check out the same commit",
        )
    return found


def why_foreign(order: WorkOrder) -> str:
    """Why an order cannot be taken here; empty when it can."""
    try:
        check_order(order)
    except HarnessError as error:
        return str(error)
    return ""
