"""One conversation with an SMTP server, cut where it matters: before the final dot, and after it.

Until the dot is on its way the server has no mail, whatever happens. After it only an answer says
whether it has: without one the mail is in doubt.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from harness.core.errors import InfrastructureError
from harness.people.mail.settings import MailSettings

_DOT: Final = b".\r\n"
_LONGEST: Final = 200


class MailError(Exception):
    """What came of a mail that was not taken; the reason is the server's, in one line."""


class MailDeferred(MailError):  # noqa: N818 - reads as what happened
    """Not taken this time: a 4xx, or the line was lost before the final dot."""


class MailRejected(MailError):  # noqa: N818 - likewise
    """Never to be taken: a 5xx."""


class MailInDoubt(MailError):  # noqa: N818 - likewise
    """The final dot was sent, and no answer came."""


class SenderRejected(MailRejected):
    """A 5xx to the sender's own address: no mail of ours will be taken."""


class ConversationLost(MailDeferred):
    """The line was lost, or the server ended it, before the final dot."""


class ServerAway(MailDeferred):
    """There is no conversation with the server at all."""


@dataclass
class Transport:
    """A conversation that is opened when it is needed, and kept for the next mail."""

    settings: MailSettings
    _open: smtplib.SMTP | None = field(default=None, repr=False)

    def offer(self, message: EmailMessage, address: str) -> None:
        """Everything before the final dot. Raises MailDeferred, or MailRejected for a 5xx."""
        kept = self._open is not None
        try:
            self._offer(message, address)
        except ConversationLost:
            if not kept:
                raise
            self._offer(message, address)  # a conversation that was kept may be over by now

    def _offer(self, message: EmailMessage, address: str) -> None:
        smtp = self._connected()
        content = message.as_bytes(policy=SMTP.clone(cte_type="7bit"))
        with self._lost():
            code, said = smtp.docmd(f"MAIL FROM:<{self.settings.sender}>")
            self._judge(code, said, SenderRejected)
            code, said = smtp.docmd(f"RCPT TO:<{address}>")
            self._judge(code, said, MailRejected)
            code, said = smtp.docmd("DATA")
            if code != 354:
                self._judge(code, said, MailRejected)
                raise self._over(f"an answer to DATA that says nothing: {code}")
            smtp.send(_quoted(content))

    def finish(self) -> str:
        """The final dot; the server's answer. Raises MailInDoubt, MailDeferred or MailRejected."""
        assert self._open is not None, "a mail was offered"
        try:
            self._open.send(_DOT)
            code, said = self._open.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.abandon()
            raise MailInDoubt(f"no answer to the final dot: {_words(error)}") from None
        self._judge(code, said, MailRejected)
        return _told(code, said)

    def abandon(self) -> None:
        """End the conversation without a word: what was offered is not taken."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        """End the conversation."""
        if self._open is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._open.quit()
        self.abandon()

    def _judge(self, code: int, said: bytes, never: type[MailRejected]) -> None:
        if 200 <= code < 300:
            return
        if code == 421 or not 400 <= code < 600:
            raise self._over(_told(code, said))
        assert self._open is not None, "it has just answered"
        with self._lost():
            self._open.docmd("RSET")
        raise (never if code >= 500 else MailDeferred)(_told(code, said))

    def _over(self, reason: str) -> ConversationLost:
        self.abandon()
        return ConversationLost(reason)

    @contextlib.contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except (OSError, smtplib.SMTPException) as error:
            raise self._over(_words(error)) from None

    def _connected(self) -> smtplib.SMTP:
        if self._open is None:
            try:
                self._open = _connect(self.settings)
            except (OSError, smtplib.SMTPException) as error:
                raise self._unreachable(error) from None
        return self._open

    def _unreachable(self, error: Exception) -> Exception:
        said = f"{self.settings.host}:{self.settings.port}: {_words(error)}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return _setting(f"the SMTP server does not take the login at {said}")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            hint = "the server has no STARTTLS or no login; see security and user in [mail]"
            return _setting(f"the SMTP server lacks what is asked for at {said}", hint)
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "name the authority that signed it with ca_file in [mail]"
            return _setting(f"the SMTP server's certificate is not trusted at {said}", hint)
        return ServerAway(f"no conversation with {said}")


def _setting(message: str, hint: str = "correct user and password in [mail]") -> Exception:
    return InfrastructureError(message, hint=hint)


def _connect(settings: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=settings.ca_file)
    place = (settings.host, settings.port)
    smtp: smtplib.SMTP
    if settings.security == "tls":
        smtp = smtplib.SMTP_SSL(*place, timeout=settings.timeout, context=context)
    else:
        smtp = smtplib.SMTP(*place, timeout=settings.timeout)
    try:
        # the final dot is a packet of its own, which waits for nothing
        assert smtp.sock is not None, "it is connected"
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            smtp.starttls(context=context)
            smtp.ehlo()
        if settings.user:
            smtp.login(settings.user, settings.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _quoted(content: bytes) -> bytes:
    """The content as DATA has it: a dot at the start of a line is doubled, and a line ends it."""
    text = content.replace(b"\r\n.", b"\r\n..")
    text = b"." + text if text.startswith(b".") else text
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def _told(code: int, said: bytes) -> str:
    return _printable(f"{code} {said.decode('utf-8', 'replace')}")


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return _told(error.smtp_code, said if isinstance(said, bytes) else str(said).encode())
    return _printable(str(error) or type(error).__name__)


def _printable(text: str) -> str:
    words = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:_LONGEST]
