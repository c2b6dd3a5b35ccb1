"""Who is told what when, and what becomes of a mail that a server does not take at once."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import AnotherRunnerError, InfrastructureError, Refused
from harness.database import admin
from harness.people.mail.keeping import keep_key
from harness.people.mail.key import SenderKey, held_key
from harness.people.mail.sender import sending
from harness.people.unsubscribe import UnsubscribeList
from harness.plan import load
from harness.scenario.mails.explore import MailScene
from harness.scenario.mails.scene import people
from tests.harness.support.mail import ZURICH, job_of, mail_scene, send, serving, states
from tests.harness.support.runner import run_sql

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def scene(tmp_path: Path, harness_empty_database: str) -> MailScene:
    return mail_scene(tmp_path, harness_empty_database, 2)


def test_a_sender_that_starts_late_sends_one_reminder_and_says_why_not_the_others(
    scene: MailScene,
) -> None:
    with serving() as (postbox, port):
        counts = send(scene, port, scene.window.start_utc - 5 * MINUTE)
        again = send(scene, port, scene.window.start_utc - 5 * MINUTE)
    assert (counts.sent, again.sent, len(postbox.taken)) == (2, 0, 2)
    found = {kind: (state, reason) for kind, state, reason in states(scene.dsn)}
    assert found["reminder-30m"][0] == "sent"
    assert found["reminder-24h"] == ("skipped", "too late: the sender ran after its deadline")
    assert found["reminder-2h"] == found["reminder-24h"]


def test_both_parts_of_a_mail_say_the_same_times_and_it_names_nobody_else(
    scene: MailScene,
) -> None:
    with serving() as (postbox, port):
        send(scene, port, scene.window.start_utc - HOUR)
    ann, bo = (one.message for one in postbox.taken)
    text, html = (ann.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    times = re.compile(r"\d\d:\d\d \(UTC[+\d:-]*\)")
    said = times.findall(text.get_content())
    assert said == times.findall(re.sub(r"\s+", " ", html.get_content()))
    assert len(said) == 3  # the recipient's zone, the window's, and UTC
    link = str(ann["List-Unsubscribe"])
    assert ann["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.strip("<>") in text.get_content()
    assert link != bo["List-Unsubscribe"]
    assert ann["Message-ID"] != bo["Message-ID"]
    others = (scene.recipients[1].address, "User 1", "postgresql:", scene.key.read_text()[-90:-60])
    assert [word for word in others if word.encode() in postbox.taken[0].content] == []


def test_a_4xx_is_tried_again_until_the_deadline_and_a_5xx_never(scene: MailScene) -> None:
    said = {"user0@example.com": "451 later", "user1@example.com": "550 <user1@example.com> gone"}
    at = scene.window.start_utc - 30 * MINUTE
    with serving(lambda verb, who: said[who] if verb == "RCPT" else None) as (postbox, port):
        first = send(scene, port, at)
        send(scene, port, at + 5 * MINUTE)
        late = send(scene, port, scene.window.start_utc)
        tried = [who for verb, who in postbox.verbs if verb == "RCPT"]
    assert (first.deferred, first.failed, late.sent) == (1, 1, 0)
    assert "u***@example.com gone" in first.reasons[1].replace("<", "").replace(">", "")
    assert "user1" not in " ".join(first.reasons)
    assert tried == ["user0@example.com", "user1@example.com", "user0@example.com"]
    found = [(state, reason) for kind, state, reason in states(scene.dsn) if kind.endswith("30m")]
    assert found == [
        ("failed", "given up at its deadline: 451 later"),
        ("failed", "550 <user1@example.com> gone"),
    ]


def test_without_an_answer_to_the_final_dot_a_reminder_stays_in_doubt(scene: MailScene) -> None:
    at = scene.window.start_utc - 20 * MINUTE
    with serving(lambda verb, _: "cut" if verb == "." else None) as (postbox, port):
        counts = send(scene, port, at)
        postbox.answer = lambda *_: None
        again = send(scene, port, at + 10 * MINUTE)
    assert (counts.in_doubt, again.sent, len(postbox.taken)) == (2, 0, 2)


def test_without_an_answer_to_the_final_dot_an_outcome_is_sent_again_under_its_id(
    scene: MailScene,
) -> None:
    stage = scene.stages[4]
    with serving(lambda verb, _: "cut" if verb == "." else None) as (postbox, port):
        counts = send(scene, port, stage.at, stage.plan)
        postbox.answer = lambda *_: None
        again = send(scene, port, stage.at + 5 * MINUTE, stage.plan)
    assert (counts.in_doubt, again.sent, len(postbox.taken)) == (2, 2, 4)
    assert len({one.id for one in postbox.taken}) == 2
    assert len({one.content for one in postbox.taken}) == 2


def test_who_was_told_is_told_that_the_window_moved_and_nobody_else(scene: MailScene) -> None:
    start = scene.window.start_utc
    moved = replace(
        scene.window, revision=2, start=(start + 3 * HOUR).astimezone(ZURICH),
        end=(start + 4 * HOUR).astimezone(ZURICH),
    )  # fmt: skip
    told, quiet, new = (replace(one) for one in (*scene.recipients, people(3)[2]))
    with serving() as (postbox, port):
        send(scene, port, start - HOUR)
        with held_key(scene.key) as key, sending(job_of(scene, port, start), key) as sender:
            assert scene.unsubscribed.unsubscribe(sender._token(quiet.address))
        postbox.taken.clear()
        with pytest.raises(Refused, match="say revision = 2"):
            send(replace(scene, window=replace(moved, revision=1)), port, start - HOUR)
        after = replace(scene, window=moved, recipients=(told, quiet, new))
        counts = send(after, port, start)
        with pytest.raises(Refused, match="people were told of 2"):
            send(scene, port, start)
    assert counts.sent == 2
    subjects = {one.address: str(one.message["Subject"]) for one in postbox.taken}
    assert subjects.keys() == {told.address, new.address}
    assert subjects[told.address].startswith("New time: ")
    assert subjects[new.address].startswith("Planned: ")  # nobody had told them of another time


def test_a_server_that_is_away_takes_nothing_and_all_stays_planned(scene: MailScene) -> None:
    with serving() as (_, port):
        pass
    with pytest.raises(InfrastructureError, match="no conversation with 127"):
        send(scene, port, scene.window.start_utc - MINUTE)
    assert [state for _, state, _ in states(scene.dsn)].count("planned") == 4  # late ones, too


def test_after_a_rollback_nobody_is_told_what_is_other_now(
    scene: MailScene, tmp_path: Path
) -> None:
    stage = scene.stages[4]
    assert stage.plan is not None
    with serving() as (postbox, port):
        send(scene, port, stage.at, stage.plan)
        runner.rollback(scene.dsn, load(tmp_path / "plan.toml"))
        postbox.taken.clear()
        send(scene, port, stage.at + 2 * HOUR, stage.plan)
    assert [str(one.message["Subject"])[:7] for one in postbox.taken] == ["Undone:", "Undone:"]
    assert ("guide", "skipped", "another run has begun since") in states(scene.dsn)


def clone_of(dsn: str) -> str:
    """A copy of a database, as `CREATE DATABASE … TEMPLATE` makes one."""
    name = admin.unique_name("harness_cloned")
    source = admin.fields(dsn)["dbname"]
    with admin.connection(admin.with_dbname(dsn, "postgres")) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"'.encode())
    return admin.with_dbname(dsn, name)


def test_nothing_is_sent_from_a_clone_though_its_ledger_and_its_key_are_there(
    scene: MailScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = scene.window.start_utc - MINUTE
    dsn = clone_of(scene.dsn)
    try:
        clone = replace(scene, dsn=dsn)
        with serving() as (postbox, port):
            with pytest.raises(Refused, match="the database's oid is"):
                send(clone, port, at)
            assert postbox.taken == []
            # a sender that does not ask whose key it has is found by the mails that arrive
            monkeypatch.setattr(SenderKey, "refuse_other", lambda *_: None)
            send(clone, port, at)
            assert postbox.taken
    finally:
        admin.drop(scene.dsn, admin.fields(dsn)["dbname"])


def test_nothing_is_sent_from_a_database_that_was_put_back(scene: MailScene) -> None:
    with serving() as (_, port):
        send(scene, port, scene.window.start_utc - HOUR)
        run_sql(
            scene.dsn,
            "UPDATE migration_mail.sender SET claims = 1; DELETE FROM migration_mail.mail",
        )
        with pytest.raises(Refused, match="counts 1 mails, and its key has counted 2"):
            send(scene, port, scene.window.start_utc - HOUR)


def test_two_holders_exclude_each_other_and_another_key_sends_nothing(
    scene: MailScene, tmp_path: Path
) -> None:
    copied, other = tmp_path / "copied.key", tmp_path / "other.key"
    shutil.copy(scene.key, copied)
    copied.chmod(0o600)
    job = job_of(scene, 1, scene.window.start_utc)
    with held_key(scene.key) as key, sending(job, key):
        with pytest.raises(AnotherRunnerError, match="holds the key"), held_key(scene.key):
            pass
        with (
            held_key(copied) as second,
            pytest.raises(AnotherRunnerError, match="the lease"),
            sending(job, second),
        ):
            pass
    with held_key(copied) as second, sending(job, second):
        pass  # in turns
    with pytest.raises(Refused, match="another key"):
        keep_key(scene.dsn, other, None)
    assert not other.exists()
    copied.chmod(0o640)
    with pytest.raises(Exception, match="others may read"), held_key(copied):
        pass


def test_unsubscribed_is_kept_between_senders(scene: MailScene, tmp_path: Path) -> None:
    start = scene.window.start_utc
    with serving() as (postbox, port):
        send(scene, port, start - HOUR)
        link = str(postbox.taken[0].message["List-Unsubscribe"]).strip("<>")
        postbox.taken.clear()
        assert UnsubscribeList(tmp_path / "unsubscribe").unsubscribe(link.rpartition("/")[2])
        counts = send(scene, port, start - MINUTE)
    assert [one.address for one in postbox.taken] == ["user1@example.com"]
    assert counts.sent == 1
    assert ("reminder-30m", "skipped", "unsubscribed") in states(scene.dsn)
