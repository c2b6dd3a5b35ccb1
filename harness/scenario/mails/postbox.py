"""A real SMTP server, aiosmtpd, that keeps what it takes and tells the striker of each verb."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, Any

from harness.scenario.mails.striker import DOT, StrikerOf

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

Answer = Callable[[str, str], str | None]
"""By verb and address: an answer in place of the server's own, or "cut" to hang up; None for it."""


def usual(_verb: str, _address: str) -> None:
    """The server's own answer."""


@dataclass(frozen=True)
class TakenMail:
    """A mail that the server has: whom it was given for, and its content."""

    address: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The message, read."""
        found = message_from_bytes(self.content, policy=POLICY)
        assert isinstance(found, EmailMessage), "the policy makes such"
        return found

    @property
    def id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])


@dataclass
class Postbox:
    """What a server has taken, in order. `answer` may be changed while it serves."""

    striker: StrikerOf
    answer: Answer = usual
    taken: list[TakenMail] = field(default_factory=list)
    verbs: list[tuple[str, str]] = field(default_factory=list)
    conversations: set[asyncio.Task[Any]] = field(default_factory=set)

    async def close(self) -> None:
        """End the conversations there are."""
        for one in self.conversations:
            one.cancel()
        while self.conversations:
            await asyncio.wait(self.conversations)

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """The final dot came: take the mail, unless its sender was killed before."""
        address = envelope.rcpt_tos[0]
        striker = self.striker()
        number, killed = striker.begin("smtp", DOT)
        if killed:
            return "451 nobody is there"
        self.verbs.append((DOT, address))
        said = self.answer(DOT, address)
        content = envelope.content or b""
        if said is None or said == "cut":
            kept = content.encode() if isinstance(content, str) else bytes(content)
            self.taken.append(TakenMail(address, kept))
        striker.end("smtp", number)
        if said == "cut":
            _cut(session)
        return said if said and said != "cut" else "250 OK"


def _cut(session: Session) -> None:
    transport: Any = getattr(session, "harness_transport", None)
    assert transport is not None, "kept when the session began"
    transport.abort()


def _heard(verb: str, act: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(act)
    async def heard(self: Any, argument: str | None) -> None:
        await self.told(verb, argument, partial(act, self))

    return heard


@cache
def _conversation_type() -> Callable[..., Any]:
    """aiosmtpd's own conversation, with the striker told before and after each verb."""
    # here and not above: aiosmtpd comes with an extra
    from aiosmtpd.smtp import SMTP

    class _Conversation(SMTP):
        """A client's, from its greeting to its end."""

        def __init__(self, postbox: Postbox, **options: Any) -> None:
            super().__init__(postbox, hostname="postbox.invalid", **options)
            self._postbox = postbox

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            """Keep the transport, to hang up, and the task, to end it."""
            super().connection_made(transport)
            task = self._handler_coroutine
            assert task is not None, "it was just made"
            self._postbox.conversations.add(task)
            task.add_done_callback(self._postbox.conversations.discard)
            if self.session is not None:
                self.session.harness_transport = transport  # type: ignore[attr-defined] # ours

        async def told(self, verb: str, argument: str | None, act: Callable[..., Any]) -> None:
            self._postbox.striker().begin("smtp", verb)
            address = (argument or "").partition("<")[2].partition(">")[0]
            self._postbox.verbs.append((verb, address))
            said = self._postbox.answer(verb, address)
            if said == "cut":
                assert self.session is not None, "it is connected"
                _cut(self.session)
                return
            if said is not None:
                await self.push(said)
            else:
                await act(argument)

    for verb in ("EHLO", "MAIL", "RCPT", "DATA", "QUIT"):
        name = f"smtp_{verb}"
        setattr(_Conversation, name, _heard(verb, getattr(SMTP, name)))
    return _Conversation


async def serve_postbox(postbox: Postbox, **options: Any) -> asyncio.Server:
    """Serve it on a port of loopback."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: _conversation_type()(postbox, loop=loop, **options), "127.0.0.1", 0
    )


def port_of(server: asyncio.Server) -> int:
    """The port of a server."""
    return int(server.sockets[0].getsockname()[1])
