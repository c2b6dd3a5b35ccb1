"""The one who sends the mails of a window: holds the key and the lease, plans, and delivers.

Planning is idempotent: whoever is told already, in whatever way, is not planned again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, Final

import psycopg

from harness.core.errors import AnotherRunnerError, InfrastructureError
from harness.database import pinned
from harness.people.mail.book import BookedMail, MailBook
from harness.people.mail.compose import MailToCompose, compose_mail
from harness.people.mail.delivery import Delivery, SentCounts
from harness.people.mail.key import SenderKey, read_identity
from harness.people.mail.moment import RunMoment, read_moment
from harness.people.mail.schedule import AFTER_END, Occasion, WindowMoment, occasions
from harness.people.mail.settings import MailSettings
from harness.people.mail.transport import Transport
from harness.people.recipients import Recipient
from harness.people.unsubscribe import UnsubscribeList, link_of, token_of
from harness.people.window import MaintenanceWindow
from harness.runner.connection import connect
from harness.server.secrets import redact

LEASE: Final = 120.0  # seconds; it is kept with each mail
RECONNECT: Final = 30.0
PAUSE: Final = 0.2


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True)
class MailJob:
    """Whom a sender tells of what, by which server. `plan` is the name of the plan, if it is one.

    `clock` gives the time by which mails are due; `stop` says between two mails that it is enough.
    """

    dsn: str
    window: MaintenanceWindow
    recipients: tuple[Recipient, ...]
    settings: MailSettings
    unsubscribed: UnsubscribeList
    plan: str | None = None
    lease: float = LEASE
    clock: Callable[[], datetime] = utc_now
    stop: Callable[[], bool] = never


@contextlib.contextmanager
def sending(job: MailJob, key: SenderKey) -> Iterator[MailSender]:
    """Hold the lease for the length of the block.

    Raises Refused where this is not the key's database, or it was put back to an earlier state;
    AnotherRunnerError while another sender holds the lease.
    """
    sender = MailSender(job, key)
    try:
        sender.open()
        yield sender
    finally:
        sender.close()


@dataclass
class MailSender:
    """Sends the mails of a window, as the one who holds the key and the lease."""

    job: MailJob
    key: SenderKey
    counts: SentCounts = field(default_factory=SentCounts)
    _conn: psycopg.Connection[Any] | None = None
    _book: MailBook | None = None
    _delivery: Delivery | None = None

    def open(self) -> None:
        """Connect and take the lease; what a sender before this one was at is in doubt."""
        self._connect()
        self.book.doubt_unfinished()
        self._delivery = Delivery(
            book=self.book, key=self.key, transport=Transport(self.job.settings),
            compose=self._composed, again=self._again, counts=self.counts,
            lease=self.job.lease, retry=self.job.settings.retry,
        )  # fmt: skip

    def _connect(self) -> None:
        conn = connect(self.job.dsn, "notify")
        try:
            pinned.pin(conn)
            conn.execute("SET default_transaction_read_only = off")
            self.key.refuse_other(read_identity(conn))
            if self._book is None:
                self._book = MailBook(conn, self.job.window.id)
                self._book.take_lease(self.key, self.job.lease)
            else:
                self._book.use(conn)
        except BaseException:
            conn.close()
            raise
        self._conn = conn

    @property
    def book(self) -> MailBook:
        """The ledger of mails."""
        assert self._book is not None, "it is open"
        return self._book

    @property
    def delivery(self) -> Delivery:
        """How one mail is delivered."""
        assert self._delivery is not None, "it is open"
        return self._delivery

    def close(self) -> None:
        """Free the lease, and say goodbye to the server."""
        if self._delivery is not None:
            self._delivery.transport.close()
        if self._conn is not None:
            with contextlib.suppress(psycopg.Error):
                self.book.free_lease()
            self._conn.close()

    def tick(self) -> bool:
        """Plan what is new, skip what is past, send what is due; whether it is all over.

        Raises InfrastructureError where the database or the SMTP server is away.
        """
        try:
            return self._ticked()
        except psycopg.OperationalError as error:
            self.delivery.transport.abandon()
            raise InfrastructureError(
                f"the database is away: {redact(' '.join(str(error).split()))}",
                hint="what was sent is written down; run the same again",
            ) from error

    def _ticked(self) -> bool:
        job, revision = self.job, self.job.window.revision
        assert self._conn is not None, "it is open"
        if not self.book.keep_lease(job.lease):
            raise AnotherRunnerError(
                "the lease was lost: another sender may have it", hint="run the same again"
            )
        run = read_moment(self._conn, job.plan, job.window)
        open_now = self.plan(run)
        while not job.stop() and (due := self.book.due(open_now, revision, job.clock())):
            for mail in due:
                if job.stop():
                    break
                self.delivery.deliver(mail, job.clock())
        self.counts.open = self.book.open_mails(revision)
        over = run is not None and run.is_over
        return not self.counts.open and (over or job.clock() >= job.window.end_utc + AFTER_END)

    def plan(self, run: RunMoment | None) -> list[Occasion]:
        """Plan every mail that is known by now, skip those that are past; the open occasions."""
        job, revision = self.job, self.job.window.revision
        moment = WindowMoment(job.window, self.book.see(job.window, job.clock()), run)
        found = occasions(moment)
        told = self.book.was_told(revision)
        self._hand_out_tokens(told)
        for one in found:
            everybody = told if one.told_only else job.recipients
            self.book.plan(revision, one, everybody, self.key.secret, job.settings.domain)
            if one.past:
                self.book.skip(one, revision, one.past)
        self._skip_told(found, told)
        self._skip_unsubscribed(told)
        self.book.skip_past(revision, job.clock(), run.id if run else 0)
        return [one for one in found if not one.past]

    def _skip_told(self, found: Sequence[Occasion], told: Sequence[Recipient]) -> None:
        """Who is told that the window moved needs no reminder that was due before."""
        moved = next((one for one in found if one.told_only), None)
        keys = [one.key for one in told]
        for one in found:
            if moved is not None and keys and one.kind.before and one.due <= moved.due:
                reason = "the mail that the window moved says it"
                self.book.skip(one, self.job.window.revision, reason, keys)

    def _hand_out_tokens(self, told: Sequence[Recipient]) -> None:
        if self.job.window.page_url:
            tokens = {self._token(one.key) for one in (*told, *self.job.recipients)}
            self.job.unsubscribed.hand_out(tokens)

    def _skip_unsubscribed(self, told: Sequence[Recipient]) -> None:
        keys = {one.key for one in (*told, *self.job.recipients)}
        gone = [key for key in keys if self.job.unsubscribed.is_unsubscribed(self._token(key))]
        if gone:
            self.book.skip_keys(gone, "unsubscribed")

    def _token(self, address: str) -> str:
        return token_of(self.key.secret, address)

    def _composed(self, mail: BookedMail, now: datetime) -> EmailMessage:
        page = self.job.window.page_url
        link = link_of(page, self._token(mail.address)) if page else ""
        told = MailToCompose(mail.kind, mail.recipient, mail.message_id, mail.dated or now, link)
        return compose_mail(self.job.window, self.job.settings, told)

    def _again(self, act: Callable[[], None]) -> None:
        """Connect again and do it; raises what it came to where the database stays away."""
        deadline = time.monotonic() + RECONNECT
        while True:
            try:
                if self._conn is not None:
                    self._conn.close()
                self._connect()
                act()
                return
            except (InfrastructureError, psycopg.OperationalError):
                if time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE)
