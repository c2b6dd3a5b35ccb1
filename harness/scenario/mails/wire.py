"""The wire between a sender and its database: each statement is counted before and after."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.fault.frames import Message, Splitter
from harness.scenario.mails.striker import MARK, SETTLE, StrikerOf

ASKS = ("Q", "S")  # a simple query, or the Sync that ends an extended one
CHUNK = 65536
_NAMES = {"SET state = 'sending'": MARK, "settled_at = CASE": SETTLE}


class LedgerWire:
    """Carries the connections of a sender to Postgres; `cut` hangs up at the next statement."""

    def __init__(self, dsn: str, striker: StrikerOf) -> None:
        fields = conninfo_to_dict(dsn)
        self._place = str(fields.get("host") or "127.0.0.1"), int(fields.get("port") or 5432)
        self._dsn, self._striker = dsn, striker
        self._server: asyncio.Server | None = None
        self._carriers: set[asyncio.Task[Any]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    async def serve(self) -> str:
        """Serve it on a port of loopback; the DSN that leads through it."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return make_conninfo(
            self._dsn, host="127.0.0.1", hostaddr="", port=port, sslmode="disable",
            gssencmode="disable",
        )  # fmt: skip

    async def close(self) -> None:
        """Take no more connections, and end those there are."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for end in self._ends:
            end.transport.abort()
        while self._carriers:
            await asyncio.wait(self._carriers)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in one"
        self._carriers.add(task)
        asked: deque[int] = deque()
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._place)
        except OSError:
            writer.close()
            return
        self._ends |= {writer, up_writer}
        ways = (
            asyncio.ensure_future(self._up(reader, up_writer, asked)),
            asyncio.ensure_future(self._down(up_reader, writer, asked)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, up_writer):
                end.transport.abort()
            for end in (writer, up_writer):
                with suppress(OSError):
                    await end.wait_closed()
            self._ends -= {writer, up_writer}
            self._carriers.discard(task)

    async def _up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: deque[int]
    ) -> None:
        splitter = Splitter(frontend=True)
        text = ""
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for message in splitter.feed(data):
                    text = message.text or text
                    if message.kind in ASKS:
                        number, killed = self._striker().begin("postgres", _named(text))
                        if killed:
                            return
                        asked.append(number)
                    writer.write(message.data)
                await writer.drain()

    async def _down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: deque[int]
    ) -> None:
        splitter = Splitter(frontend=False)
        kept: list[Message] = []
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for message in splitter.feed(data):
                    kept.append(message)
                    if message.kind != "Z" or not asked:
                        continue
                    if self._striker().end("postgres", asked.popleft()):
                        return
                writer.write(b"".join(one.data for one in kept))
                kept.clear()
                await writer.drain()


def _named(statement: str) -> str:
    """The mark, the settling, or the first words of any other."""
    for words, name in _NAMES.items():
        if words in statement:
            return name
    lines = [line for line in statement.splitlines() if not line.lstrip().startswith("--")]
    return " ".join(" ".join(lines).split()[:3])
