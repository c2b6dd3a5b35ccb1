"""Texts of a SQL_ASCII database, which psycopg hands over as bytes."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

RAW: Final = "SQL_ASCII"
_TEXTS: Final = ("text", "varchar", "bpchar", "name", '"char"')


class _TextLoader(Loader):
    """Bytes that are no UTF-8 become lone surrogates, so that none is lost."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "surrogateescape")


def read_as_text(conn: psycopg.Connection[Any]) -> None:
    """Let a session that converts nothing give str, as every other does."""
    if conn.info.parameter_status("client_encoding") == RAW:
        for name in _TEXTS:
            conn.adapters.register_loader(name, _TextLoader)
