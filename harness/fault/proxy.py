"""A proxy on the wire that sees every message and can strike at each: before it, after it, in it.

It runs in the thread that calls it, beside the process whose connections it carries: nothing
happens between two messages that it does not decide. TLS is refused, so that it can read.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.core.errors import InfrastructureError
from harness.fault.frames import ANSWERED, STARTUP, Message, Splitter
from harness.fault.process import LIMIT, Process


class Act(Enum):
    """What the proxy does with a message."""

    PASS = auto()
    CUT = auto()  # drop it, and the line with it
    CUT_ONE = auto()  # drop it, and its connection alone
    UNHEARD = auto()  # let the server do it, swallow the answer, then cut
    UNHEARD_ONE = auto()
    STALL = auto()  # from now on nobody hears anything on the connections there are
    HOLD = auto()  # keep it; ask again when anything else has happened


@dataclass(frozen=True)
class Partial:
    """Pass the first bytes of a message on, then cut the line."""

    size: int


@dataclass
class Link:
    """One connection through the proxy."""

    number: int
    client: socket.socket
    server: socket.socket
    up: Splitter = field(default_factory=lambda: Splitter(frontend=True))
    down: Splitter = field(default_factory=lambda: Splitter(frontend=False))
    queue: deque[Frame] = field(default_factory=deque)
    unanswered: deque[Frame] = field(default_factory=deque)
    silent: bool = False
    deaf: Act | None = None
    backend: int = 0
    open: bool = True
    count: int = 0


@dataclass(frozen=True)
class Frame:
    """A frontend message: its number among those counted (0 is not counted), and its link.

    `place` is its number among those of its link that are counted.
    """

    number: int
    link: Link
    message: Message
    place: int = 0


class Interceptor(Protocol):
    """Decides about messages, one at a time. It may also act on the process before it answers."""

    def meets(self, frame: Frame) -> Act | Partial:
        """A message from the frontend is about to pass."""
        ...

    def hears(self, frame: Frame, answer: list[Message]) -> None:
        """The backend has answered it, the answer is on its way."""
        ...


def everything(message: Message) -> bool:
    """Every message counts, but a request to cancel, which comes when somebody asks for it."""
    return message.kind != "cancel"


FIRST = 2  # connections of a run: its lock's, and the first it works on
LOGIN = frozenset({"ssl", "gss", STARTUP, "p"})


def _renews(link: Link, message: Message) -> bool:
    """Whether a message of our runner only puts a new session in the place of one that was used.

    Nothing happens between it and the next message that counts; and a run that resumes, whose first
    session is as good as new, must count as an undisturbed one does.
    """
    if message.kind == "X":
        return link.number >= FIRST - 1
    return link.number >= FIRST and message.kind in LOGIN


class Proxy:
    """Listens on loopback for the server of `dsn`. `down` and the line is not there any more.

    A message is counted that `counts` and does not `skips`.
    """

    def __init__(
        self,
        dsn: str,
        counts: Callable[[Message], bool] = everything,
        skips: Callable[[Link, Message], bool] = _renews,
    ) -> None:
        fields = conninfo_to_dict(dsn)
        if fields.get("sslmode") in ("require", "verify-ca", "verify-full"):
            raise InfrastructureError(
                "the wire cannot be read: the DSN insists on TLS",
                hint="explore on a server that takes plain connections on loopback",
            )
        self._upstream = str(fields.get("host") or "127.0.0.1"), int(fields.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, "listener")
        self._counts, self._skips = counts, skips
        self.links: list[Link] = []
        self.count = 0
        self.cancels = 0
        self.down = False
        self.strike: Interceptor | None = None
        self._answers: dict[int, list[Message]] = {}
        port = str(self._listener.getsockname()[1])
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=port)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a forked process must close, or it would keep the connections open."""
        sockets = [self._listener, *(s for link in self.links for s in (link.client, link.server))]
        return (*(s.fileno() for s in sockets if s.fileno() >= 0), self._selector.fileno())

    def serve(
        self,
        processes: Sequence[Process],
        strike: Interceptor,
        until: Callable[[], bool] | None = None,
        limit: float = LIMIT,
    ) -> None:
        """Carry messages until every process has ended, or `until` says so; else TimeoutError."""
        self.strike = strike
        alive = list(processes)
        for process in alive:
            self._selector.register(process.fileno(), selectors.EVENT_READ, process)
        deadline = time.monotonic() + limit
        try:
            while alive and not (until is not None and until()):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the run did not end within {limit:g} s")
                for key, _ in self._selector.select(0.05):
                    if key.data == "listener" or isinstance(key.data, Link):
                        self._ready(key)
                    elif key.data in alive and not key.data.listen():
                        self._selector.unregister(key.fileobj)
                        alive.remove(key.data)
                self._ask_again()
        finally:
            for process in alive:
                self._selector.unregister(process.fileno())

    def _ready(self, key: selectors.SelectorKey) -> None:
        if key.data == "listener":
            self._accept()
            return
        link: Link = key.data
        sock = key.fileobj
        assert isinstance(sock, socket.socket)
        if not link.open:
            return
        try:
            data = sock.recv(1 << 16)
        except OSError:
            data = b""
        if link.silent:
            if not data:
                self._selector.unregister(sock)  # who hangs up on a dead line is not heard either
        elif not data:
            self.close_link(link)
        elif sock is link.client:
            self._from_client(link, data)
        else:
            self._from_server(link, data)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self.down:
            client.close()
            return
        try:
            server = self._connect()
        except OSError:
            client.close()
            return
        for sock in (client, server):
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(len(self.links), client, server)
        self.links.append(link)
        self._selector.register(client, selectors.EVENT_READ, link)
        self._selector.register(server, selectors.EVENT_READ, link)

    def _connect(self) -> socket.socket:
        host, port = self._upstream
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f"{host}/.s.PGSQL.{port}")
        return sock

    def _from_client(self, link: Link, data: bytes) -> None:
        for message in link.up.feed(data):
            counted = self._counts(message) and not self._skips(link, message)
            self.cancels += message.kind == "cancel"
            self.count += counted
            link.count += counted
            number, place = (self.count, link.count) if counted else (0, 0)
            link.queue.append(Frame(number, link, message, place))
        self._work_off(link)

    def _ask_again(self) -> None:
        for link in self.links:
            if link.queue and link.open and not link.silent:
                self._work_off(link)

    def _work_off(self, link: Link) -> None:
        while link.queue and link.open and not link.silent:
            frame = link.queue[0]
            act = self._decide(frame)
            if act is Act.HOLD:
                return
            link.queue.popleft()
            self._do(frame, act)

    def _decide(self, frame: Frame) -> Act | Partial:
        if frame.number == 0 or frame.link.deaf is not None:
            return Act.PASS
        assert self.strike is not None
        return self.strike.meets(frame)

    def _do(self, frame: Frame, act: Act | Partial) -> None:
        link = frame.link
        if isinstance(act, Partial):
            with contextlib.suppress(OSError):
                link.server.sendall(frame.message.data[: act.size])
            self.cut()
        elif act is Act.CUT:
            self.cut()
        elif act is Act.CUT_ONE:
            self.close_link(link)
        elif act is Act.STALL:
            for each in self.links:
                each.silent = True
        else:
            if act in (Act.UNHEARD, Act.UNHEARD_ONE):
                link.deaf = act
            self._pass(frame)

    def _pass(self, frame: Frame) -> None:
        link, message = frame.link, frame.message
        if message.kind in ("ssl", "gss"):
            self._answer_refusal(frame)
            return
        if message.kind in ANSWERED:
            link.unanswered.append(frame)
            self._answers[link.number] = []
        try:
            link.server.sendall(message.data)
        except OSError:
            self.close_link(link)
            return
        if link.deaf is not None and message.kind not in ANSWERED and message.kind != "cancel":
            self._hang_up(link)  # there is no answer to wait for

    def _answer_refusal(self, frame: Frame) -> None:
        link = frame.link
        if link.deaf is not None:
            self._hang_up(link)
            return
        with contextlib.suppress(OSError):
            link.client.sendall(b"N")
        if self.strike is not None:
            self.strike.hears(frame, [])

    def _from_server(self, link: Link, data: bytes) -> None:
        arrived = link.down.feed(data)
        if link.deaf is None:  # whatever the client says to it comes later: it may hear it all
            try:
                link.client.sendall(b"".join(message.data for message in arrived))
            except OSError:
                self.close_link(link)
                return
        for message in arrived:
            if message.kind == "K":
                link.backend = int.from_bytes(message.data[5:9], "big")
            self._answers.setdefault(link.number, []).append(message)
            self._settle(link, message)
            if not link.open:
                return

    def _settle(self, link: Link, message: Message) -> None:
        """Whether this message ends the answer to the oldest that waits for one."""
        if not link.unanswered:
            return
        frame = link.unanswered[0]
        login = frame.message.kind in ("startup", "p")
        if message.kind != ("R" if login else "Z"):
            return
        link.unanswered.popleft()
        if link.deaf is not None:
            self._hang_up(link)
        elif self.strike is not None:
            self.strike.hears(frame, self._answers.pop(link.number, []))

    def _hang_up(self, link: Link) -> None:
        if link.deaf is Act.UNHEARD_ONE:
            self.close_link(link)
        else:
            self.cut()

    def cut(self) -> None:
        """Cut every connection; new ones are refused from now on."""
        self.down = True
        for link in self.links:
            self.close_link(link)

    def close_link(self, link: Link) -> None:
        """Close both ends of a connection."""
        if not link.open:
            return
        link.open = False
        for sock in (link.client, link.server):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(sock)
            sock.close()

    def close(self) -> None:
        """Close everything."""
        for link in self.links:
            self.close_link(link)
        self._selector.close()
        self._listener.close()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
