"""A critical workflow of the subject's users: what somebody does from start to end, in SQL.

sell = Workflow("sell", steps=(
    WorkflowStep("take an order", "INSERT INTO shop.orders (item) VALUES ('tea')"
                 " RETURNING id AS order_id", keeps=("order_id",)),
    WorkflowStep("ship it", "UPDATE shop.orders SET shipped = true WHERE id = %(order_id)s"
                 " RETURNING item, shipped"),
), roles=("clerk", "visitor"))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class WorkflowStep:
    """One statement and its answer. The columns that it `keeps` are parameters of later steps."""

    title: str
    sql: str
    keeps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workflow:
    """Steps that each of the roles tries in order; who is refused gets no further.

    `settings` are made for the session; {role} in their values is the role's name. What a step
    answers must not depend on the clock.
    """

    name: str
    steps: tuple[WorkflowStep, ...]
    roles: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
