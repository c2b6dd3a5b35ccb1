"""Receivers are told the same as without the migration: in flight over it, by senders killed.

Old clients write before it, while it is migrated and once it is rolled back; a receiver that fails
at times takes what two senders bring, the first of which is killed at work.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.extras import require_extra
from harness.core.poll import wait_until
from harness.database.admin import writable
from harness.plan import Plan
from harness.report import evidence
from harness.runner import migrate, rollback
from harness.subject.choice import particulars_of
from harness.subject.project import find_project
from harness.subject.webhook_source import WebhookSource
from harness.webhook import outbox
from harness.webhook.outbox import Subscription
from harness.webhook.proof import QueuedWebhook, judge_deliveries, judge_schemas, read_queued
from harness.webhook.receiver import LocalReceiver, ReceivedWebhook, receiving

from .journey import impatient
from .support import FEW, CloneFactory, Conn, TemplateFactory, connected, shortened

MOMENTS = ("before", "migrated", "not yet sent when it is rolled back", "rolled back")
ROUNDS = 2
KILLED_AT = 7
"""The request at which the first sender is killed: fewer than what is queued before the swap."""
RETRY = '[retry]\nschedule = ["10ms", "10ms", "20ms", "50ms", "1s", "5s"]\n'
SECRET = "WEBHOOK_SECRET"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class ToldCourse:
    """What was queued and what arrived, over forward, swap and way back."""

    queued: Sequence[QueuedWebhook]
    received: Sequence[ReceivedWebhook]
    wrong: Sequence[str]


def prepare_source(dsn: str, root: Path, source: WebhookSource) -> None:
    """Make the outbox, an endpoint of each vocabulary, and the subject's triggers."""
    with outbox.opened(dsn) as conn:
        outbox.install(conn)
        outbox.register(conn, [Subscription(name, name) for name in source.schemas])
        writable(conn)
        for file in sorted((root / source.setup).glob("*.sql")):
            conn.execute(file.read_bytes())


def write_rounds(conn: Conn, statements: Sequence[str], rounds: range) -> None:
    """Send the statements of clients, round after round."""
    for number in rounds:
        for statement in statements:
            conn.execute(statement.encode(), {"n": number})


def tell_without(dsn: str, source: WebhookSource, rounds: int) -> list[QueuedWebhook]:
    """What is queued of the same old writes in a database that is not migrated."""
    with connected(dsn) as conn:
        write_rounds(conn, source.old_writes, range(rounds * len(MOMENTS)))
        return [one for one in read_queued(conn) if one.vocabulary == source.old]


def tell_along(
    dsn: str, plan: Plan, source: WebhookSource, schemas: dict[str, Any], directory: Path,
    rounds: int = ROUNDS,
) -> ToldCourse:  # fmt: skip
    """Write, migrate, send, be killed, roll back, and send the rest."""
    key = secrets.token_bytes(32)
    first: list[subprocess.Popen[str]] = []
    turns = iter(range(0, rounds * len(MOMENTS), rounds))

    def write(statements: Sequence[str], at: int) -> None:
        with connected(dsn) as conn:
            write_rounds(conn, statements, range(at, at + rounds))

    with receiving(_at_times_failing(first)) as receiver:
        file = directory / "webhooks.toml"
        file.write_text(RETRY + "".join(_tables(receiver, source)))
        write(source.old_writes, next(turns))
        migrate(dsn, plan)  # what was written is in flight over the swap
        first.append(_sender(dsn, file, key))
        migrated = next(turns)
        write(source.old_writes, migrated)
        write(source.new_writes, migrated)
        assert first[0].wait(120) == -signal.SIGKILL, first[0].communicate()[1]
        first[0].communicate()
        write(source.old_writes, next(turns))
        rollback(dsn, plan)  # likewise, over the way back
        write(source.old_writes, next(turns))
        last = _sender(dsn, file, key, "--until-empty")
        _, said = last.communicate(timeout=240)
        assert last.returncode == 0, said
        with connected(dsn) as conn:
            queued = read_queued(conn)
        found = judge_deliveries(queued, receiver.seen, {name: [key] for name in source.schemas})
        found += judge_schemas(receiver.seen, schemas)
        wrong = [f"{one.id}: {one.where}: {one.message}" for one in found]
        return ToldCourse(queued, list(receiver.seen), wrong)


def differences_of_old(
    source: WebhookSource, without: Sequence[QueuedWebhook], along: Sequence[QueuedWebhook]
) -> list[str]:
    """Where an old endpoint is told something else of the same writes, event by event."""
    told = _by_key(one for one in along if one.vocabulary == source.old)
    found = []
    for key, wanted in _by_key(without).items():
        bodies = told.get(key, [])
        if bodies != wanted:
            pairs = zip(wanted, bodies, strict=False)
            place = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
            if place is None:
                found.append(f"{key}: {len(bodies)} events, {len(wanted)} without the migration")
            else:
                found.append(f"{key}: event {place}: {bodies[place]}, without: {wanted[place]}")
    return shortened(found)


def source_of(plan: Plan) -> tuple[Path, WebhookSource]:
    """The project's root, and what its object says of webhooks."""
    project = find_project()
    found = particulars_of(plan.name, project).webhooks
    assert project is not None, "a suite that applies has a project"
    assert found is not None, "likewise"
    return project.root, found


def test_receivers_are_told_the_same_over_the_migration_and_the_way_back(
    harness_plan: Plan, harness_template: TemplateFactory, harness_clone: CloneFactory,
    tmp_path: Path,
) -> None:  # fmt: skip
    require_extra("webhooks", "the suite webhooks")
    root, source = source_of(harness_plan)
    schemas = read_schemas(root, source)
    template = harness_template(rows=FEW)
    alone, along = harness_clone(template), harness_clone(template)
    for dsn in (alone, along):
        prepare_source(dsn, root, source)
    without = tell_without(alone, source, ROUNDS)
    plan = impatient(replace(harness_plan, hooks=()))
    course = tell_along(along, plan, source, schemas, tmp_path)
    assert without
    assert course.wrong == []
    assert differences_of_old(source, without, course.queued) == []
    told_new = [one for one in course.queued if one.vocabulary == source.new]
    assert len(told_new) >= len(source.new_writes)
    evidence.count("webhooks", "moments whose events arrived as queued", MOMENTS, MOMENTS)


def read_schemas(root: Path, source: WebhookSource) -> dict[str, Any]:
    """The JSON schema of each vocabulary."""
    from harness.core.jsonfile import parse_json, read_text

    return {name: parse_json(read_text(root / path)) for name, path in source.schemas.items()}


def _by_key(events: Iterator[QueuedWebhook] | Sequence[QueuedWebhook]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in events:
        found[one.key].append(one.body)
    return found


def _at_times_failing(sender: Sequence[subprocess.Popen[str]]) -> Any:
    """Fails the first attempt of every third event; kills the sender at its request KILLED_AT."""
    met: dict[str, int] = {}
    count = [0]

    def answer(_endpoint: str, given: str, _body: bytes) -> int:
        count[0] += 1
        if count[0] == KILLED_AT:
            wait_until(lambda: sender, 60, "the sender's process to be known")
            sender[0].send_signal(signal.SIGKILL)
            sender[0].wait()
        first = given not in met
        number = met.setdefault(given, len(met))
        return 503 if first and number % 3 == 1 else 204

    return answer


def _tables(receiver: LocalReceiver, source: WebhookSource) -> Iterator[str]:
    for name in source.schemas:
        yield (
            f'\n[[endpoint]]\nname = "{name}"\nvocabulary = "{name}"\n'
            f'url = "{receiver.url(name)}"\nsecret_env = "{SECRET}"\n'
        )


def _sender(dsn: str, file: Path, key: bytes, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "webhooks", "send", "--allow-loopback", *more]
    secret = f"whsec_{base64.b64encode(key).decode()}"
    return subprocess.Popen(
        [*command, "--endpoints", str(file)], cwd=file.parent,
        env={**os.environ, "HARNESS_DSN": str(dsn), SECRET: secret},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
