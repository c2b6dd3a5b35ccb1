"""Who asked to be told nothing more: a directory that who sends and who serves the page share.

A mail carries a link with a token. The sender writes down which tokens it handed out, as hashes:
the directory names nobody. A POST to the link (one click, RFC 8058) makes an empty file of the
token's hash; a GET shows a form and changes nothing, since programs open links in mails. The same
POST again is well; a token that was never handed out leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.core.jsonfile import write_whole

HANDED_OUT: Final = "handed-out.txt"
DIRECTORY: Final = "unsubscribe"
"""Its name, beside the window's file, where no other is given."""
_LENGTH: Final = 32


def token_of(secret: bytes, address: str) -> str:
    """The token of an address: the same in each mail, and to be guessed by nobody."""
    return hmac.new(secret, b"unsubscribe " + address.lower().encode(), "sha256").hexdigest()[
        :_LENGTH
    ]


def link_of(page_url: str, token: str) -> str:
    """Where the page takes a token: GET asks, POST does it."""
    return f"{page_url.rstrip('/')}/unsubscribe/{token}"


@dataclass(frozen=True)
class UnsubscribeList:
    """The directory of tokens that were handed out, and of those that came back."""

    directory: Path

    def hand_out(self, tokens: Iterable[str]) -> None:
        """Write down the tokens of mails to be sent; UsageError where that cannot be done."""
        hashes = {_hash(token) for token in tokens}
        known = self._handed_out()
        if hashes <= known:
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lines = "".join(f"{one}\n" for one in sorted(hashes | known))
            write_whole(self.directory / HANDED_OUT, lines, durable=True)
        except OSError as error:
            raise self._unusable(error) from error

    def knows(self, token: str) -> bool:
        """Whether the token was handed out."""
        return _hash(token) in self._handed_out()

    def unsubscribe(self, token: str) -> bool:
        """Take a token back; False for one that was never handed out. Any time, any number."""
        if not self.knows(token):
            return False
        try:
            os.close(os.open(self.directory / _hash(token), os.O_WRONLY | os.O_CREAT, 0o666))
        except OSError as error:
            raise self._unusable(error) from error
        return True

    def is_unsubscribed(self, token: str) -> bool:
        """Whether the token came back."""
        return (self.directory / _hash(token)).exists()

    def _handed_out(self) -> set[str]:
        try:
            return set((self.directory / HANDED_OUT).read_text("ascii").split())
        except FileNotFoundError:
            return set()
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> UsageError:
        said = getattr(error, "strerror", None) or "it is not what was written"
        return UsageError(
            f"the list of the unsubscribed cannot be used: {said}", where=str(self.directory)
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
