"""Passwords: which words of libpq's hold one, and how a text is shown without them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

import psycopg

HIDDEN: Final = "***"
_SHORTEST: Final = 4  # a shorter word is found everywhere, and hiding it would hide the text
_DERIVED: Final = ("scram_client_key", "scram_server_key")  # as good as a password; libpq says so
_CUT: Final = "..."
_known: dict[str, None] = {}

_URL_USERINFO: Final = re.compile(r"""(\w+://[^:/?#\s@]*):(?:[^\s/]*|[^\s'"]*)@""")


@functools.cache
def words() -> frozenset[str]:
    """The parameters that hold a secret: those that this libpq marks so."""
    options = psycopg.pq.Conninfo.get_defaults()
    return frozenset(
        {one.keyword.decode() for one in options if one.dispchar == b"*"} | {*_DERIVED}
    )


def remember(fields: Mapping[str, Any]) -> None:
    """From now on `redact` hides the secrets among the fields of a DSN, in every spelling.

    One that is also the user, the database or another open word cannot be told from it.
    """
    plain = {str(value) for name, value in fields.items() if name not in words()}
    for name in fields.keys() & words():
        secret = str(fields[name])
        if len(secret) >= _SHORTEST and secret not in plain:
            _known.update(dict.fromkeys(_spellings(secret)))


def mask(text: str) -> str:
    """A DSN, or a text that holds one, with every password replaced by `***`."""
    masked = _URL_USERINFO.sub(rf"\1:{HIDDEN}@", text)
    for pattern in _patterns():
        masked = pattern.sub(rf"\1{HIDDEN}", masked)
    return masked


def redact(text: str) -> str:
    """What `mask` gives, and without the passwords of every DSN that this process has met."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, HIDDEN)
        if _CUT in text:
            text = _without_tails(text, secret)
    return mask(text)


def _without_tails(text: str, secret: str) -> str:
    """A repr that is too long is cut in the middle, and may begin again inside a password."""
    for begin in range(1, len(secret) - _SHORTEST + 1):
        text = text.replace(_CUT + secret[begin:], _CUT + HIDDEN)
    return text


def _spellings(secret: str) -> set[str]:
    """As it is, in a URL, quoted for a connection string, and as Python and JSON write it."""
    quoted = secret.replace("\\", "\\\\").replace("'", "\\'")
    return {
        secret, quote(secret, safe=""), quote(secret), quote_plus(secret), quoted,
        repr(secret)[1:-1], json.dumps(secret)[1:-1],
    }  # fmt: skip


@functools.cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    named = "|".join(sorted(words(), key=len, reverse=True))
    quoted = r"""'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?"""
    return (
        re.compile(rf"""(["'](?:{named})["']\s*:\s*)({quoted})"""),  # as Python and JSON write it
        re.compile(rf"([?&](?:{named})=)[^&\s#]*", re.IGNORECASE),
        re.compile(
            rf"(\b(?:{named})\s*=\s*)('(?:[^'\\]|\\.)*'?|(?:\\.|[^\s'&\\])+)", re.IGNORECASE
        ),
    )
