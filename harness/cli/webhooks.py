"""`harness webhooks`: the outbox of events, and who delivers them."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, dsn_option, json_option, named, named_plan_option
from harness.core.errors import AnotherRunnerError, Stopped, UsageError
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from datetime import date

    from harness.webhook.endpoints import EndpointsFile
    from harness.webhook.sender import EndpointReport, Mode

endpoints_option = click.option(
    "--endpoints",
    "file",
    envvar="HARNESS_ENDPOINTS",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="who is told, where, and which variables or files hold the secrets  [webhooks.toml]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def webhooks() -> None:
    """Queue events in an outbox, and deliver them signed, in order, at least once."""


@webhooks.command()
@dsn_option
@endpoints_option
@json_option
@click.option("--adopt", is_flag=True, help="the database is a copy; send its events from here")
def install(dsn: str | None, file: Path | None, as_json: bool, adopt: bool) -> None:
    """Make the outbox, and register the endpoints of a file."""
    from harness.webhook import outbox

    read = _read(file) if file is not None else None
    with outbox.opened(named(dsn)) as conn:
        made = outbox.install(conn, adopt=adopt)
        outbox.require_own(conn)
        if read is not None:
            outbox.register(conn, [one.subscription for one in read.endpoints])
        names = list(outbox.registered(conn))
    state = "made" if made else "there"
    told = ", ".join(names) or "none; events are queued for those that are registered"
    lines = [f"webhooks: the outbox is {state}; endpoints: {told}"]
    answer({"outbox": state, "endpoints": names}, as_json, lines)


@webhooks.command()
@dsn_option
@endpoints_option
@json_option
@click.option("--once", is_flag=True, help="try what is due once")
@click.option("--until-empty", is_flag=True, help="until nothing is pending; else until Ctrl-C")
@click.option("--allow-loopback", is_flag=True, help="send to this machine too, by http")
def send(
    dsn: str | None,
    file: Path | None,
    as_json: bool,
    once: bool,
    until_empty: bool,
    allow_loopback: bool,
) -> None:
    """Deliver what is queued; the same again resumes what a crash left."""
    from harness.core.extras import require_extra
    from harness.runner.signals import stop_requested

    if once and until_empty:
        raise UsageError("--once and --until-empty are two ways", hint="give one of them")
    require_extra("webhooks", "sending webhooks")
    from harness.webhook.deliver import Means, deliver_all

    mode: Mode = "once" if once else "until-empty" if until_empty else "on"
    read = _read(file or Path("webhooks.toml"))
    target = named(dsn)
    with stop_requested() as stop:
        means = Means.of_http(allow_loopback=allow_loopback)
        reports = deliver_all(target, read, mode, stop, means)
        stopped = stop()
    document = {
        "state": "pending" if any(map(_is_open, reports)) else "sent",
        "delivered": sum(one.delivered for one in reports),
        "pending": sum(one.pending for one in reports),
        "endpoints": [dataclasses.asdict(one) for one in reports],
    }
    _refuse_where_others_send(reports)
    if stopped and mode != "on":
        raise Stopped("stopped by a signal", hint="what is pending stays so; run the same again")
    answer(document, as_json, _lines(reports))
    if mode != "on" and any(map(_is_open, reports)):
        sys.exit(ExitStatus.FAILED)


@webhooks.command()
@dsn_option
@json_option
def status(dsn: str | None, as_json: bool) -> None:
    """Say how each endpoint stands: what is pending, delivered, given up."""
    from harness.webhook import outbox, upkeep

    with outbox.opened(named(dsn)) as conn:
        outbox.require_own(conn)
        found = upkeep.look(conn)
    lines = [
        f"{one.name} ({one.vocabulary}): {one.pending} pending, {one.delivered} delivered,"
        f" {one.given_up} given up"
        + (f"; disabled since {one.disabled}: {one.disabled_for}" if one.disabled else "")
        + (f"; last said: {one.said}" if one.said else "")
        for one in found
    ]
    document = {"endpoints": [dataclasses.asdict(one) for one in found]}
    answer(document, as_json, lines or ["no endpoint is registered"])


@webhooks.command()
@click.argument("name")
@dsn_option
@json_option
def enable(name: str, dsn: str | None, as_json: bool) -> None:
    """Send to an endpoint again, also what was given up."""
    from harness.webhook import outbox, upkeep

    with outbox.opened(named(dsn)) as conn:
        outbox.require_own(conn)
        pending = upkeep.enable(conn, name)
    lines = [f"{name} is enabled; {pending} events are pending"]
    answer({"endpoint": name, "state": "enabled", "pending": pending}, as_json, lines)


@webhooks.command()
@click.argument("name")
@dsn_option
@json_option
def disable(name: str, dsn: str | None, as_json: bool) -> None:
    """Queue and send to an endpoint no more; what is pending stays."""
    from harness.webhook import outbox, upkeep

    with outbox.opened(named(dsn)) as conn:
        outbox.require_own(conn)
        upkeep.disable(conn, name)
    answer({"endpoint": name, "state": "disabled"}, as_json, [f"{name} is disabled"])


@webhooks.command()
@dsn_option
@named_plan_option
@endpoints_option
@json_option
@click.option("--vocabulary", default="old", show_default=True, help="the one that ends")
@click.option("--successor", default="new", show_default=True, help="the one to move to")
@click.option("--sunset", metavar="DATE", help="the day it ends  [variable sunset of the plan]")
def deprecate(
    dsn: str | None,
    plan_path: Path | None,
    file: Path | None,
    as_json: bool,
    vocabulary: str,
    successor: str,
    sunset: str | None,
) -> None:
    """Tell each endpoint of a vocabulary once until when it is spoken; a file says whose it is."""
    from harness.webhook import outbox, upkeep

    day = _day(sunset, plan_path)
    owners = {one.name: one.owner for one in _read(file).endpoints} if file is not None else {}
    with outbox.opened(named(dsn)) as conn:
        outbox.require_own(conn)
        told = upkeep.deprecate(conn, vocabulary, day, successor)
    names = ", ".join(told) or "none that was not told already"
    lines = [f"{vocabulary!r} ends on {day}; queued for {names}"]
    lines += [f"  {name}: {owners[name]}" for name in told if owners.get(name)]
    queued = {name: owners.get(name, "") for name in told}
    document = {"sunset": day.isoformat(), "queued": told, "owners": queued}
    answer(document, as_json, lines)


def _day(given: str | None, plan_path: Path | None) -> date:
    from datetime import date

    from harness import plan
    from harness.subject.choice import default_plan

    text, where = given, "--sunset"
    if text is None:
        path = plan_path or default_plan()
        text, where = plan.load(path).variables.get("sunset"), f"variable sunset of {path}"
        if text is None:
            raise UsageError(
                "the plan has no variable sunset", where=str(path), hint="say --sunset"
            )
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a day such as 2030-12-31", where=where) from None


def _read(file: Path) -> EndpointsFile:
    from harness.webhook.endpoints import read_endpoints

    return read_endpoints(file)


def _is_open(report: EndpointReport) -> bool:
    """Whether something is owed, or was not taken, that somebody should look at."""
    return bool(
        report.given_up
        or (report.pending and report.state != "disabled")
        or (report.state == "disabled" and report.failed)
    )


def _refuse_where_others_send(reports: list[EndpointReport]) -> None:
    ours = [one for one in reports if one.state != "absent"]
    if ours and all(one.state == "elsewhere" and one.pending for one in ours):
        hint = "wait for it: what is pending is sent by one sender at a time"
        raise AnotherRunnerError("another sender is at work on every endpoint", hint=hint)


def _lines(reports: list[EndpointReport]) -> list[str]:
    return [
        f"{one.name} ({one.vocabulary}): {one.state}; {one.delivered} delivered,"
        f" {one.failed} attempts failed, {one.given_up} given up, {one.pending} pending"
        + (f"; {one.said}" if one.said else "")
        for one in reports
    ]
