"""The rate of a sender with its ledger stands beside that of a bare loop, on one server."""

from __future__ import annotations

from pathlib import Path

from harness.scenario.mails.rate import measure_rate
from tests.harness.support.mail import mail_scene, serving
from tests.harness.support.thorough import EXHAUSTIVE


def test_the_rate_is_told_beside_a_bare_loop_over_the_same_mails(
    tmp_path: Path, harness_empty_database: str
) -> None:
    scene = mail_scene(tmp_path, harness_empty_database, 200 if EXHAUSTIVE else 5)
    with serving() as (postbox, port):
        rate = measure_rate(scene, port)
        taken = len(postbox.taken)
    print(rate)  # noqa: T201 - `make mail-rate` shows it
    assert rate.mails == len(scene.recipients)
    assert taken == 2 * rate.mails
