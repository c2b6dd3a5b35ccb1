"""`harness notify`: the mails of a window: what is due when, sending it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import (
    answer,
    dsn_option,
    json_option,
    named,
    named_plan_option,
    window_option,
)
from harness.cli.usage import Seconds
from harness.core.errors import InfrastructureError, Stopped, UsageError
from harness.core.exit_status import ExitStatus
from harness.core.poll import wait_until

if TYPE_CHECKING:
    from harness.people.mail.delivery import SentCounts
    from harness.people.mail.sender import MailJob
    from harness.people.window import MaintenanceWindow

PAUSE = 0.1
LISTED = 10

key_option = click.option(
    "--key",
    "key_file",
    envvar="HARNESS_NOTIFY_KEY",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="the sender's key, if not sender.key beside the window's file",
)


@click.group()
def notify() -> None:
    """Tell the people who wait by mail: before, during and after a window, each thing once."""


def _paths(plan_path: Path | None, window_file: Path | None) -> tuple[Path | None, Path]:
    """The plan, if there is one, and the window's file."""
    from harness.people.window import FILE
    from harness.people.window_file import find_window
    from harness.subject.project import find_project

    project = None if plan_path else find_project()
    if project is not None and project.kind == "plan":
        plan_path = project.path
    if window_file is not None:
        return plan_path, window_file
    beside = plan_path or (project.path if project else None)
    found = find_window(beside) if beside else None
    if found is None:
        raise UsageError(
            f"there is no {FILE} beside the subject",
            where=str(beside) if beside else None,
            hint="write one, or name it with --window",
        )
    return plan_path, found


def _plan_name(plan_path: Path | None) -> str | None:
    from harness import plan

    return plan.load(plan_path).name if plan_path else None


@notify.command("plan")
@named_plan_option
@window_option
@json_option
def plan_mails(plan_path: Path | None, window_file: Path | None, as_json: bool) -> None:
    """Say who gets which mail when; nothing is sent, and no database is asked."""
    from harness.people.mail.schedule import WindowMoment, occasions
    from harness.people.mail.sender import utc_now
    from harness.people.mail.settings import read_mail_settings
    from harness.people.recipients import mask_address, read_recipients
    from harness.people.window_file import read_window

    _, file = _paths(plan_path, window_file)
    window = read_window(file)
    recipients = read_recipients(window)
    read_mail_settings(file, secret=False)
    now = utc_now()
    mails = [
        {
            "kind": one.kind.name,
            "what": one.kind.title,
            "due": one.due.isoformat(timespec="seconds"),
            "until": one.deadline.isoformat(timespec="seconds"),
            "who": "told" if one.told_only else "everybody",
            "recipients": None if one.told_only else len(recipients),
            "past": one.deadline <= now,
        }
        for one in occasions(WindowMoment(window, now))
    ]
    document = {**_about(window), "recipients": len(recipients), "mails": mails}
    lines = [*_window_lines(window), f"  recipients: {len(recipients)}"]
    lines += [f"    {mask_address(one.address)} ({one.zone})" for one in recipients[:LISTED]]
    lines += [f"    and {len(recipients) - LISTED} more"] if len(recipients) > LISTED else []
    for one in mails:
        who = "who was told" if one["who"] == "told" else f"{one['recipients']} recipients"
        past = "; past, not sent any more" if one["past"] else ""
        lines.append(f"  {one['due']}  {one['kind']} ({one['what']}): {who}{past}")
    lines.append("  begun, done, rolled-back, guide: when the ledger says so")
    answer(document, as_json, lines)


@notify.command("send")
@dsn_option
@named_plan_option
@window_option
@key_option
@click.option("--once", is_flag=True, help="send what is due now, and end")
@click.option("--every", type=Seconds(), default="2s", metavar="TIME", help="between two looks")
@json_option
def send(
    dsn: str | None,
    plan_path: Path | None,
    window_file: Path | None,
    key_file: Path | None,
    once: bool,
    every: float,
    as_json: bool,
) -> None:
    """Send what is due, each mail once: now, or until the window is over."""
    from harness.core.extras import require_extra
    from harness.people.mail.key import FILE, held_key
    from harness.people.mail.sender import MailJob, sending
    from harness.people.mail.settings import read_mail_settings
    from harness.people.recipients import read_recipients
    from harness.people.unsubscribe import DIRECTORY, UnsubscribeList
    from harness.people.window_file import read_window
    from harness.runner.signals import stop_requested

    require_extra("people", "harness notify")
    plan_path, file = _paths(plan_path, window_file)
    name = _plan_name(plan_path)
    window = read_window(file)
    recipients, settings = read_recipients(window), read_mail_settings(file)
    target = named(dsn)
    with held_key(key_file or file.parent / FILE) as key, stop_requested() as stop:
        job = MailJob(
            target, window, recipients, settings,
            UnsubscribeList(file.parent / DIRECTORY), name, stop=stop,
        )  # fmt: skip
        if once:
            with sending(job, key) as sender:
                sender.tick()
                counts = sender.counts
        else:
            counts = _send_on(job, key, every)
        if stop():
            raise Stopped(_told(counts), hint="run the same again")
    answer({**_about(window), **asdict(counts)}, as_json, [_told(counts), *_reasons(counts)])
    raise SystemExit(_status(counts))


def _send_on(job: MailJob, key: Any, every: float) -> SentCounts:
    """Send until the window is over; a server that is away is waited for."""
    from harness.people.mail.sender import MailSender

    sender = MailSender(job, key)
    opened, over = False, False
    try:
        while not over and not job.stop():
            try:
                if not opened:
                    sender.open()
                    opened = True
                over = sender.tick()
            except InfrastructureError as error:
                click.echo(f"notify: {error}; tried again in {every:g} s", err=True)
                sender.close()
                sender, opened = MailSender(job, key, sender.counts), False
            _wait(every if not over else 0.0, job.stop)
    finally:
        sender.close()
    return sender.counts


def _wait(seconds: float, stop: Callable[[], bool]) -> None:
    with suppress(TimeoutError):
        wait_until(stop, seconds, "a stop", pause=PAUSE)


@notify.command("status")
@dsn_option
@named_plan_option
@window_option
@json_option
def mail_status(
    dsn: str | None, plan_path: Path | None, window_file: Path | None, as_json: bool
) -> None:
    """Say what became of the mails, by kind; nothing is written."""
    from harness.database import admin
    from harness.people.mail.book import has_book, read_counts
    from harness.people.recipients import mask_addresses
    from harness.people.window_file import read_window

    _, file = _paths(plan_path, window_file)
    window = read_window(file)
    with admin.connection(named(dsn)) as conn:
        counts = read_counts(conn, window.id) if has_book(conn) else []
    mails = [{**asdict(one), "reason": mask_addresses(one.reason)} for one in counts]
    lines = _window_lines(window)
    for one in mails:
        why = f" ({one['reason']})" if one["reason"] and one["state"] != "sent" else ""
        lines.append(
            f"  revision {one['revision']}, {one['kind']}: {one['mails']} {one['state']}{why}"
        )
    if not mails:
        lines.append("  no mail is planned in this database yet")
    answer({**_about(window), "mails": mails}, as_json, lines)


@notify.command("key")
@dsn_option
@named_plan_option
@window_option
@key_option
@click.option("--renew", metavar="REASON", help="bind a key anew: after a failover, or a loss")
@json_option
def make_sender_key(
    dsn: str | None,
    plan_path: Path | None,
    window_file: Path | None,
    key_file: Path | None,
    renew: str | None,
    as_json: bool,
) -> None:
    """Make the key without which nobody sends, bound to this database."""
    from harness.people.mail.keeping import keep_key
    from harness.people.mail.key import FILE

    _, file = _paths(plan_path, window_file)
    path = key_file or file.parent / FILE
    bound = keep_key(named(dsn), path, renew)
    document = {"key": str(path), **asdict(bound)}
    answer(document, as_json, [f"key: {path} sends from database {bound.name}"])


def _about(window: MaintenanceWindow) -> dict[str, Any]:
    return {
        "window": window.id,
        "revision": window.revision,
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
        "zone": window.zone.key,
        "cancelled": window.cancelled,
    }


def _window_lines(window: MaintenanceWindow) -> list[str]:
    state = ", cancelled" if window.cancelled else ""
    times = f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} {window.zone}"
    return [f"window {window.id}, revision {window.revision}{state}: {times}"]


def _told(counts: SentCounts) -> str:
    parts = [f"{counts.sent} sent"]
    for number, word in (
        (counts.deferred, "to be tried again"),
        (counts.failed, "failed"),
        (counts.in_doubt, "in doubt"),
        (counts.open, "planned"),
    ):
        parts += [f"{number} {word}"] if number else []
    return f"notify: {', '.join(parts)}"


def _reasons(counts: SentCounts) -> list[str]:
    lines = [f"  {reason}" for reason in counts.reasons[:LISTED]]
    more = len(counts.reasons) - LISTED
    return [*lines, f"  and {more} more"] if more > 0 else lines


def _status(counts: SentCounts) -> ExitStatus:
    if counts.failed or counts.in_doubt:
        return ExitStatus.FAILED
    return ExitStatus.STOPPED if counts.deferred else ExitStatus.DONE
