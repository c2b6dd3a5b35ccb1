"""The ledger of mails in the database: who may send, what is planned, what became of each mail.

Every change is one statement, and so one commit. The statements that mark a mail hold the lease in
the same statement: who has lost it changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

from harness.core.errors import AnotherRunnerError, Refused
from harness.people.mail.key import SenderKey
from harness.people.mail.schedule import Occasion
from harness.people.recipients import Recipient
from harness.people.window import MaintenanceWindow

Connection = psycopg.Connection[Any]
MailState = Literal["planned", "sending", "sent", "failed", "in doubt", "skipped"]
SQL: Final = Path(__file__).with_name("sql")
MAKING: Final = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('mails made'))"
THERE: Final = "SELECT pg_catalog.to_regclass('migration_mail.sender') IS NOT NULL"
NO_KEY: Final = "make one with harness notify key, where mails are to be sent from"


@dataclass(frozen=True)
class BookedMail:
    """A mail of the ledger, as the one who sends it needs it."""

    id: int
    revision: int
    kind: str
    run_id: int
    address: str
    name: str
    zone: str
    message_id: str
    deadline: datetime
    tries: int
    doubts: int
    dated: datetime | None

    @property
    def recipient(self) -> Recipient:
        """Who gets it."""
        return Recipient(self.address, self.name, ZoneInfo(self.zone))


@dataclass(frozen=True)
class MailCount:
    """How many mails of a kind are in a state, and the reason that they share."""

    revision: int
    kind: str
    state: MailState
    reason: str
    mails: int


def statement(name: str) -> bytes:
    """A statement of this room."""
    return (SQL / f"{name}.sql").read_bytes()


def has_book(conn: Connection) -> bool:
    """Whether the database has a ledger of mails."""
    row = conn.execute(THERE).fetchone()
    return bool(row and row[0])


def bind_key(conn: Connection, key_hash: str, *, replace: bool) -> int:
    """Make the ledger where there is none, and let the key send; how many mails were counted.

    Raises Refused where another key sends, unless it is to be replaced; AnotherRunnerError while
    somebody holds the lease.
    """
    with conn.transaction():
        conn.execute(MAKING)
        if not has_book(conn):
            conn.execute(statement("make"))
            conn.execute(
                "INSERT INTO migration_mail.sender (version, key_hash) VALUES (1, %s)", [key_hash]
            )
            return 0
        row = conn.execute(
            "SELECT key_hash, claims, lease_until > pg_catalog.clock_timestamp()"
            " FROM migration_mail.sender"
        ).fetchone()
        assert row is not None, "the ledger is made with its row"
        found, claims, is_held = row
        if is_held:
            raise AnotherRunnerError("a sender holds the lease", hint="wait until it has ended")
        if found != key_hash and not replace:
            raise Refused(
                "the mails of this database are sent with another key",
                hint="use that one; or say --renew REASON where nobody has it any more",
            )
        conn.execute("UPDATE migration_mail.sender SET key_hash = %s", [key_hash])
        return int(claims)


class MailBook:
    """The ledger of the mails of one window, for the holder of the lease."""

    def __init__(self, conn: Connection, window_id: str) -> None:
        self._conn, self._window = conn, window_id
        self._epoch = 0

    def use(self, conn: Connection) -> None:
        """Go on over another connection, with the same lease."""
        self._conn = conn

    def take_lease(self, key: SenderKey, seconds: float) -> None:
        """Take the lease for so many seconds.

        Raises Refused for another key, or where fewer mails are counted than the key has;
        AnotherRunnerError while another holder has it.
        """
        if not has_book(self._conn):
            raise Refused("no mails are sent from this database yet", hint=NO_KEY)
        told = {
            "holder": key.holder, "seconds": seconds, "hash": key.hash, "claims": key.claims,
        }  # fmt: skip
        row = self._conn.execute(statement("lease"), told).fetchone()
        if row is not None:
            self._epoch = int(row[0])
            return
        found = self._conn.execute(
            "SELECT key_hash, claims FROM migration_mail.sender"
        ).fetchone()  # fmt: skip
        if found is None or found[0] != key.hash:
            raise Refused("the mails of this database are sent with another key", hint=NO_KEY)
        if found[1] < key.claims:
            raise Refused(
                f"the database counts {found[1]} mails, and its key has counted {key.claims}: it"
                " was put back to an earlier state, and who got which mail is not in it",
                hint="say harness notify key --renew REASON, and see who was told since",
            )
        raise AnotherRunnerError("another sender holds the lease", hint="it is freed when it ends")

    def free_lease(self) -> None:
        """Let the next one take it at once."""
        self._conn.execute(
            "UPDATE migration_mail.sender SET lease_until = '-infinity' WHERE epoch = %s",
            [self._epoch],
        )

    def keep_lease(self, seconds: float) -> bool:
        """Hold it for so many seconds from now; False where it is lost."""
        row = self._conn.execute(statement("keep"), {"epoch": self._epoch, "seconds": seconds})
        return row.fetchone() is not None

    def see(self, window: MaintenanceWindow, now: datetime) -> datetime:
        """Take in the window as it is planned; since when this revision of it is known.

        Raises Refused for an older revision, and for times that changed under the same one.
        """
        row = self._conn.execute(
            "SELECT revision FROM migration_mail.schedule WHERE window_id = %s"
            " ORDER BY revision DESC LIMIT 1",
            [self._window],
        ).fetchone()
        if row is not None and row[0] > window.revision:
            raise Refused(
                f"the window's revision is {window.revision}, and people were told of {row[0]}",
                where=str(window.path),
                hint=f"plan it anew as revision {row[0] + 1}",
            )
        told = {
            "window": self._window, "revision": window.revision, "start": window.start_utc,
            "end": window.end_utc, "cancelled": window.cancelled, "now": now,
        }  # fmt: skip
        found = self._conn.execute(statement("see"), told).fetchone()
        assert found is not None, "it was there, or it is now"
        if tuple(found[:3]) != (window.start_utc, window.end_utc, window.cancelled):
            raise Refused(
                f"the window's times changed, and its revision is still {window.revision}",
                where=str(window.path),
                hint=f"say revision = {window.revision + 1}, so that those who were told are told",
            )
        return found[3]  # type: ignore[no-any-return] # of a row

    def was_told(self, revision: int) -> list[Recipient]:
        """Who was, or may have been, told of an earlier revision than this one."""
        rows = self._conn.execute(statement("told"), [self._window, revision]).fetchall()
        return [Recipient(address, name, ZoneInfo(zone)) for address, name, zone in rows]

    def plan(
        self, revision: int, one: Occasion, recipients: Sequence[Recipient], secret: bytes, at: str
    ) -> None:
        """Plan a mail to each, once: whoever has one of this occasion gets no other."""
        columns: list[list[str]] = [[], [], [], [], []]
        for who in recipients:
            occasion = f"{self._window} {revision} {one.kind.name} {one.run} {who.key}"
            name = hashlib.sha256(secret + occasion.encode()).hexdigest()[:32]
            values = (who.key, who.address, who.name, who.zone.key, f"<{name}@{at}>")
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        told = {
            "window": self._window, "revision": revision, "kind": one.kind.name, "run": one.run,
            "due": one.due, "deadline": one.deadline, "keys": columns[0], "addresses": columns[1],
            "names": columns[2], "zones": columns[3], "ids": columns[4],
        }  # fmt: skip
        self._conn.execute(statement("plan"), told)

    def skip(
        self, one: Occasion, revision: int, reason: str, keys: Iterable[str] | None = None
    ) -> None:
        """Send the planned mails of an occasion to nobody, or not to these, and say why."""
        told = {
            "window": self._window, "revision": revision, "kind": one.kind.name, "run": one.run,
            "reason": reason, "keys": None if keys is None else list(keys),
        }  # fmt: skip
        self._conn.execute(statement("skip"), told)

    def skip_keys(self, keys: Iterable[str], reason: str) -> None:
        """Send no planned mail to these, and say why."""
        self._conn.execute(statement("skip_keys"), [reason, self._window, list(keys)])

    def skip_past(self, revision: int, now: datetime, run: int) -> None:
        """Skip what is planned in an older revision, of another run, or is past its deadline."""
        told = {"window": self._window, "revision": revision, "now": now, "run": run}
        self._conn.execute(statement("skip_past"), told)

    def doubt_unfinished(self) -> int:
        """What a sender had begun that is gone by now is in doubt; how many mails that is."""
        found = self._conn.execute(statement("doubt"), {"epoch": self._epoch})
        return found.rowcount

    def due(self, open_now: Sequence[Occasion], revision: int, now: datetime) -> list[BookedMail]:
        """The next mails that are due, the longest due first."""
        told = {
            "window": self._window, "revision": revision, "now": now,
            "kinds": [one.kind.name for one in open_now], "runs": [one.run for one in open_now],
            "repeats": [one.kind.repeats for one in open_now],
        }  # fmt: skip
        with self._conn.cursor(row_factory=class_row(BookedMail)) as cursor:
            return cursor.execute(statement("due"), told).fetchall()

    def mark_sending(self, mail: BookedMail, now: datetime, lease: float) -> int:
        """From here on nobody knows whether the mail arrives; how many mails are counted now.

        Raises AnotherRunnerError where the lease is lost: the mail is not to be sent.
        """
        told = {"epoch": self._epoch, "seconds": lease, "id": mail.id, "now": now}
        row = self._conn.execute(statement("sending"), told).fetchone()
        if row is None:
            raise AnotherRunnerError(
                "the lease was lost: another sender has it", hint="let that one go on"
            )
        return int(row[0])

    def settle(
        self,
        mail: BookedMail,
        state: MailState,
        reason: str,
        now: datetime,
        next_try: datetime | None = None,
    ) -> None:
        """Write down what became of a mail, or when it is tried again."""
        told = {
            "epoch": self._epoch, "id": mail.id, "state": state, "reason": reason, "now": now,
            "next": next_try or now,
        }  # fmt: skip
        self._conn.execute(statement("settle"), told)

    def open_mails(self, revision: int) -> int:
        """How many mails may still be sent."""
        row = self._conn.execute(
            "SELECT count(*) FROM migration_mail.mail WHERE window_id = %s AND state = 'planned'"
            " AND (revision = %s OR run_id > 0)",
            [self._window, revision],
        ).fetchone()
        return int(row[0]) if row else 0


def read_counts(conn: Connection, window_id: str) -> list[MailCount]:
    """How the mails of a window stand, by revision, kind and state."""
    with conn.cursor(row_factory=class_row(MailCount)) as cursor:
        return cursor.execute(statement("counts"), [window_id]).fetchall()
