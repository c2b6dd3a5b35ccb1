"""Texts of a database of any encoding, its invalid bytes too, without loss.

The server converts nothing, for that fails on bytes which the other encoding lacks. Its bytes are
decoded here, and those that mean nothing become lone surrogates (PEP 383), of which `encode` makes
the same bytes again, and which JSON writes as \\udcXX.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

UTF8: Final = "UTF8"
RAW: Final = "SQL_ASCII"
"""The client encoding with which a server converts nothing."""
_CODECS: Final = {
    **{f"LATIN{number}": f"iso8859_{number}" for number in range(1, 5)},
    "LATIN5": "iso8859_9",
    "LATIN6": "iso8859_10",
    "LATIN7": "iso8859_13",
    "LATIN8": "iso8859_14",
    "LATIN9": "iso8859_15",
    "LATIN10": "iso8859_16",
    **{f"ISO_8859_{number}": f"iso8859_{number}" for number in range(5, 9)},
    **{f"WIN{page}": f"cp{page}" for page in (866, 874, *range(1250, 1259))},
    "KOI8R": "koi8_r",
    "KOI8U": "koi8_u",
    "EUC_JP": "euc_jp",
    "EUC_JIS_2004": "euc_jis_2004",
    "EUC_KR": "euc_kr",
    "EUC_CN": "gb2312",
}
_TEXTS: Final = ("text", "varchar", "bpchar", "name", '"char"', "json", "jsonb")


def client_encoding(conn: psycopg.Connection[Any]) -> str:
    """The client encoding in which the texts of this database are read."""
    return UTF8 if conn.info.parameter_status("server_encoding") == UTF8 else RAW


def encode(conn: psycopg.Connection[Any], text: str) -> bytes:
    """The bytes of a statement, names in it as the server has them."""
    return text.encode(_codec(conn), "surrogateescape")


def literal(text: str) -> str:
    """SQL for a text constant, whatever the server's settings."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def read_losslessly(conn: psycopg.Connection[Any]) -> None:
    """Let the connection decode texts so that no byte is lost; JSON stays text."""
    for name in _TEXTS:
        conn.adapters.register_loader(name, _loader(_codec(conn)))


def decode(data: bytes, codec: str) -> str:
    """The text of some bytes, of which `encode` makes the same bytes."""
    text = data.decode(codec, "surrogateescape")
    if codec == "utf-8" or text.encode(codec, "surrogateescape") == data:
        return text
    return data.decode("ascii", "surrogateescape")


@cache
def _loader(codec: str) -> type[Loader]:
    class TextLoader(Loader):
        def load(self, data: Buffer) -> str:
            return decode(bytes(data), codec)

    return TextLoader


def _codec(conn: psycopg.Connection[Any]) -> str:
    # of SQL_ASCII nobody knows the encoding, and UTF-8 is what it mostly is
    return _CODECS.get(conn.info.parameter_status("server_encoding") or UTF8, "utf-8")
