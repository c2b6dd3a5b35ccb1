"""One mail: offered, marked in the ledger, ended by the final dot, and what came of it kept.

The mark is committed between the content and the final dot. A sender that is killed before it has
sent nothing, and the mail is sent by the next one. Killed after it, nobody knows: the mail is in
doubt, which a reminder stays and an outcome does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final

import psycopg

from harness.core.errors import InfrastructureError
from harness.people.mail.book import BookedMail, MailBook, MailState
from harness.people.mail.key import SenderKey
from harness.people.mail.transport import (
    MailDeferred,
    MailInDoubt,
    MailRejected,
    SenderRejected,
    ServerAway,
    Transport,
)
from harness.people.recipients import mask_address, mask_addresses
from harness.server.secrets import redact

SPARE: Final = 5.0  # seconds before the lease's end after which no final dot is sent
LONGEST_WAIT: Final = 900.0
AGAIN: Final = "mails stay planned; run the same again"


@dataclass
class SentCounts:
    """What came of the mails of a sender; `open` are planned still, `reasons` say why, masked."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    in_doubt: int = 0
    open: int = 0
    reasons: list[str] = field(default_factory=list)

    def add(self, mail: BookedMail, state: MailState, reason: str) -> None:
        """Count a mail."""
        self.sent += state == "sent"
        self.failed += state == "failed"
        self.in_doubt += state == "in doubt"
        self.deferred += state == "planned"
        if state != "sent":
            said = "tried again later" if state == "planned" else state
            told = mask_addresses(redact(reason))
            self.reasons.append(f"{mail.kind} to {mask_address(mail.address)}: {said}: {told}")


@dataclass
class Delivery:
    """Delivers mails one at a time. `again` connects to the database anew, and does an act."""

    book: MailBook
    key: SenderKey
    transport: Transport
    compose: Callable[[BookedMail, datetime], EmailMessage]
    again: Callable[[Callable[[], None]], None]
    counts: SentCounts
    lease: float
    retry: float

    def deliver(self, mail: BookedMail, now: datetime) -> None:
        """Send it, or write down why not.

        Raises InfrastructureError where no mail can be sent, AnotherRunnerError where the lease is
        lost.
        """
        try:
            self.transport.offer(self.compose(mail, now), mail.address)
        except ServerAway as away:
            raise InfrastructureError(str(away), hint=AGAIN) from None
        except MailDeferred as reason:
            self._settle(mail, "planned", str(reason), now)
        except MailRejected as reason:
            self._settle(mail, "failed", str(reason), now)
            if isinstance(reason, SenderRejected):
                raise InfrastructureError(
                    f"the SMTP server refuses the sender's address: {mask_addresses(str(reason))}",
                    hint="correct from in [mail]",
                ) from None
        else:
            if self.mark(mail, now):
                self._finish(mail, now)

    def mark(self, mail: BookedMail, now: datetime) -> bool:
        """Mark it in the ledger; False where it was not, and the final dot is not to be sent."""
        try:
            # by a clock that goes on while the machine sleeps, and begun before the database's
            ends = time.clock_gettime(time.CLOCK_BOOTTIME) + self.lease
            self.key.count(self.book.mark_sending(mail, now, self.lease))
        except psycopg.OperationalError:
            # whether the mark was committed is unknown; that no dot was sent is not
            self.transport.abandon()
            self.again(lambda: self._settle(mail, "planned", "the database was away", now))
            return False
        except BaseException:
            self.transport.abandon()
            raise
        if time.clock_gettime(time.CLOCK_BOOTTIME) > ends - SPARE:
            self.transport.abandon()  # this process stood still
            self._settle(mail, "planned", "the lease had ended before the final dot", now)
            return False
        return True

    def _finish(self, mail: BookedMail, now: datetime) -> None:
        try:
            answer = self.transport.finish()
        except MailInDoubt as reason:
            self._settle(mail, "in doubt", str(reason), now)
        except MailDeferred as reason:
            self._settle(mail, "planned", str(reason), now)
        except MailRejected as reason:
            self._settle(mail, "failed", str(reason), now)
        else:
            self._settle(mail, "sent", answer, now)

    def _settle(self, mail: BookedMail, state: MailState, reason: str, now: datetime) -> None:
        later = now + timedelta(seconds=min(self.retry * 2 ** min(mail.tries, 10), LONGEST_WAIT))

        def settle() -> None:
            self.book.settle(mail, state, redact(reason), now, later)

        try:
            settle()
        except psycopg.OperationalError:
            self.again(settle)
        self.counts.add(mail, state, reason)
