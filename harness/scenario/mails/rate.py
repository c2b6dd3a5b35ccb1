"""How fast mails are sent with their ledger, beside a bare loop of smtplib on the same server."""

from __future__ import annotations

import smtplib
import time
from dataclasses import dataclass, replace

from harness.people.mail.compose import MailToCompose, compose_mail
from harness.people.mail.key import held_key
from harness.people.mail.sender import MailJob, sending
from harness.people.mail.settings import MailSettings
from harness.scenario.mails.explore import MailScene


@dataclass(frozen=True)
class MailRate:
    """Mails a second: with the ledger, and of a loop that only sends."""

    mails: int
    ours: float
    bare: float

    def __str__(self) -> str:
        share = self.ours / self.bare
        return f"{self.ours:.0f} mails/s with the ledger, {self.bare:.0f} bare ({share:.0%})"


def measure_rate(scene: MailScene, port: int) -> MailRate:
    """Send the last reminder of a scene to all of its recipients, and as many by smtplib alone."""
    settings = MailSettings("status@example.com", "Status", "127.0.0.1", port, "none")
    at = scene.stages[2].at
    job = MailJob(
        scene.dsn, scene.window, scene.recipients, settings, scene.unsubscribed, clock=lambda: at
    )
    begun = time.perf_counter()
    with held_key(scene.key) as key, sending(job, key) as sender:
        sender.tick()
        sent = sender.counts.sent
    ours = sent / (time.perf_counter() - begun)
    return MailRate(sent, ours, _bare(replace(job, recipients=scene.recipients[:sent])))


def _bare(job: MailJob) -> float:
    begun = time.perf_counter()
    with smtplib.SMTP(job.settings.host, job.settings.port) as smtp:
        for who in job.recipients:
            told = MailToCompose("reminder-30m", who, f"<{who.key}>", job.clock())
            message = compose_mail(job.window, job.settings, told)
            smtp.send_message(message, job.settings.sender, [who.address])
    return len(job.recipients) / (time.perf_counter() - begun)
