"""PostgreSQL's wire protocol (version 3) split into messages, as they come in pieces.

Source: PostgreSQL documentation, "Frontend/Backend Protocol", message formats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPECIAL: Final = {80877103: "ssl", 80877104: "gss", 80877102: "cancel"}
STARTUP: Final = "startup"
ANSWERED: Final = frozenset({STARTUP, "ssl", "gss", "p", "Q", "S", "F"})
"""Messages of the frontend that the backend answers at once; others wait for the Sync."""


@dataclass(frozen=True)
class Message:
    """One message. `kind` is its type byte, or startup, ssl, gss, cancel for those without one."""

    kind: str
    data: bytes

    @property
    def text(self) -> str:
        """The SQL of a Query or a Parse; empty for everything else."""
        if self.kind == "Q":
            return self.data[5:-1].decode("utf-8", "replace")
        if self.kind == "P":
            return self.data[5:].split(b"\0", 2)[1].decode("utf-8", "replace")
        return ""

    @property
    def tag(self) -> str:
        """The command tag of a CommandComplete, the status of a ReadyForQuery, else empty."""
        if self.kind == "C":
            return self.data[5:-1].decode("ascii", "replace")
        return chr(self.data[5]) if self.kind == "Z" else ""

    @property
    def refusal(self) -> str:
        """The message and SQLSTATE of an ErrorResponse; empty for everything else."""
        if self.kind != "E":
            return ""
        parts = (part.decode("utf-8", "replace") for part in self.data[5:].split(b"\0") if part)
        fields = {part[0]: part[1:] for part in parts}
        return f"{fields.get('M', 'no message')} ({fields.get('C', 'no SQLSTATE')})"


class Splitter:
    """Cuts a stream into messages; what is incomplete stays until the rest comes."""

    def __init__(self, *, frontend: bool) -> None:
        self._starting = frontend
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Every message that is complete now."""
        whole = self._rest + data
        at = 0
        found: list[Message] = []
        while (message := self._next(whole, at)) is not None:
            at += len(message.data)
            found.append(message)
        self._rest = whole[at:]
        return found

    def _next(self, whole: bytes, at: int) -> Message | None:
        head = 0 if self._starting else 1
        if len(whole) < at + head + 4:
            return None
        size = head + int.from_bytes(whole[at + head : at + head + 4], "big")
        if len(whole) < at + max(size, head + 4):
            return None
        data = whole[at : at + size]
        if head:
            return Message(chr(data[0]), data)
        kind = SPECIAL.get(int.from_bytes(data[4:8], "big"), STARTUP)
        self._starting = kind in ("ssl", "gss")
        return Message(kind, data)
