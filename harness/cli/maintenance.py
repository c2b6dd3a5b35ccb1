"""`harness maintenance`: the application read-only, by a lease that ends by itself."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, dsn_option, json_option, named, named_plan_option
from harness.cli.usage import Seconds
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.safety.maintenance import HeldLease, MaintenanceRequest, MaintenanceStatus

POLL = 0.2


@click.command()
@click.argument("action", type=click.Choice(["on", "off", "status"]))
@dsn_option
@named_plan_option
@json_option
@click.option(
    "--for", "lease", type=Seconds(), metavar="TIME",
    help="how long, such as 30min; the lease then ends by itself  [default: 15min]",
)  # fmt: skip
@click.option("--hold", is_flag=True, help="renew a lease of 15 s until Ctrl-C, then turn it off")
@click.option("--reason", metavar="TEXT", help="what the application reads when it is refused")
def maintenance(
    action: str,
    dsn: str | None,
    plan_path: Path | None,
    as_json: bool,
    lease: float | None,
    hold: bool,
    reason: str | None,
) -> None:
    """Make the application's roles read-only for a while, end that, or say whether they are."""
    from harness.safety.maintenance import read_status, turn_off, turn_on

    if action != "on" and (lease is not None or hold or reason is not None):
        raise UsageError(
            f"maintenance {action} takes neither --for, --hold nor --reason",
            hint="these belong to maintenance on",
        )
    request = request_of(plan_path, reason, strict=action == "on")
    if action == "on" and hold:
        _hold(named(dsn), request, lease, as_json)
        return
    target = named(dsn)
    if action == "on":
        found = turn_on(target, request, lease).status
    else:
        found = (turn_off if action == "off" else read_status)(target, request)
    resumed = _resume_poolers(plan_path) if action == "off" else []
    answer(found.document(), as_json, found.lines() + resumed)


def _resume_poolers(plan_path: Path | None) -> list[str]:
    """Resume what the plan names of PgBouncer and a killed run left paused; a line for each."""
    from harness import plan
    from harness.safety import pooler

    path = plan_path or _path_of_project()
    if path is None or not os.environ.get(pooler.ADDRESS):
        return []
    try:
        drain = plan.load(path).drain
    except UsageError:
        return []
    names = drain.pgbouncer if drain else ()
    return [f"  PgBouncer: {name} was paused and is resumed" for name in pooler.resume_left(names)]


def _path_of_project() -> Path | None:
    from harness.subject.project import find_project

    try:
        project = find_project()
    except UsageError:
        return None
    return project.path if project is not None and project.kind == "plan" else None


def request_of(
    plan_path: Path | None, reason: str | None = None, *, strict: bool = True
) -> MaintenanceRequest:
    """What plan and project say of maintenance.

    Unless `strict`, what cannot be read of the project's does not stand in the way: whoever opens
    the database again may be anywhere.
    """
    from harness import plan
    from harness.database.names import schema_of
    from harness.safety.maintenance import MaintenanceRequest
    from harness.safety.maintenance.request import checked_reason
    from harness.subject.project import find_project

    said = checked_reason(reason)
    try:
        project = find_project()
        if plan_path is None and project is not None and project.kind == "plan":
            plan_path = project.path
    except UsageError:
        if strict:
            raise
        project = None
    if plan_path is None:
        return MaintenanceRequest(project.roles.application if project else (), reason=said)
    try:
        loaded = plan.load(plan_path)
    except UsageError:
        if strict:
            raise
        return MaintenanceRequest((), reason=said)
    named_tables = (*loaded.preflight.requires, *loaded.preflight.forbids, *loaded.alters)
    return MaintenanceRequest(
        roles=loaded.maintenance.roles or (project.roles.application if project else ()),
        schemas=frozenset(map(schema_of, named_tables)) or None,
        rules=loaded.maintenance,
        reason=said,
        lock_timeout=loaded.runner.lock_timeout,
    )


def _hold(dsn: str, request: MaintenanceRequest, lease: float | None, as_json: bool) -> None:
    """Hold a lease until a signal, the end of `lease`, or somebody else's `off`."""
    from harness.runner.signals import stop_requested
    from harness.safety.maintenance import holding

    def tell(status: MaintenanceStatus) -> None:
        answer(status.document(), as_json, [*status.lines(), "  Ctrl-C ends it"])
        sys.stdout.flush()

    if lease is not None:
        request.lease(lease)
    with stop_requested() as stop:
        deadline = None if lease is None else time.monotonic() + lease
        with holding(dsn, request, tell) as held:
            while not stop() and (deadline is None or time.monotonic() < deadline):
                if held.wait(POLL):
                    break
    answer_findings(held)


def answer_findings(held: HeldLease) -> None:
    """Say on stderr what was not as promised, and exit with 1; nothing when all was."""
    for finding in held.findings():
        click.echo(f"maintenance: {finding}", err=True)
    if held.findings():
        sys.exit(ExitStatus.FAILED)
