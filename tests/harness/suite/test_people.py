"""The suite people finds what is wrong in a mail: each planted flaw of one is named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.people.mail import compose
from harness.people.mail.compose import MailToCompose, compose_mail
from harness.people.mail.proof import mail_flaws
from harness.people.mail.settings import MailSettings
from harness.scenario.mails.scene import people
from harness.suite.people import every_mail_flaws
from tests.harness.support.mail import ZURICH, planned

WINDOW = planned(
    datetime(2031, 10, 26, 0, 30, tzinfo=UTC), datetime(2031, 10, 26, 1, 30, tzinfo=UTC)
)
SETTINGS = MailSettings("status@example.com", "Status", "127.0.0.1", 9)


def test_mails_of_a_window_over_the_hour_that_comes_twice_are_right() -> None:
    assert list(every_mail_flaws(WINDOW)) == []
    assert "02:30 (UTC+02:00) to 02:30 (UTC+01:00)" in " ".join(
        time.span for time in compose.spell_times(WINDOW, people(1)[0])
    )


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (lambda one: one.replace_header("List-Unsubscribe-Post", "x"), "both headers"),
        (lambda one: one.replace_header("List-Unsubscribe", "<https://x.invalid>"), "no part has"),
        (lambda one: one.replace_header("To", "user1@example.com"), "To holds 'user1@example.com'"),
        (lambda one: one.get_body(("html",)).set_content("<p>x</p>", "html"), "html part does not"),
    ],
)
def test_a_planted_flaw_of_a_mail_is_named(planted: Any, said: str) -> None:
    who = people(1)[0]
    told = MailToCompose("moved", who, "<a@example.com>", datetime.now(UTC), "https://x.test/u/1")
    message = compose_mail(WINDOW, SETTINGS, told)
    planted(message)
    flaws = list(mail_flaws(message, "moved", WINDOW, who, ["user1@example.com"]))
    assert any(said in flaw for flaw in flaws), flaws


def test_times_of_another_zone_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = compose.spell_times

    def wrong(window: Any, recipient: Any) -> Any:
        return [*real(window, recipient)[1:]]  # the recipient's own time is left out

    monkeypatch.setattr(compose, "spell_times", wrong)
    assert any("does not say Your time" in flaw for flaw in every_mail_flaws(WINDOW))
    assert WINDOW.zone == ZURICH
