"""The variables of the shell that libpq reads: for the DSN that was named, and for nothing else."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg

_WHERE: Final = ("PGSERVICEFILE", "PGSYSCONFDIR")  # where services are looked up
_taken: dict[str, str] = {}
_lock = threading.RLock()


def is_libpqs(name: str) -> bool:
    """Whether a variable is libpq's; all of PG*, for each release of libpq reads more of them."""
    return name.startswith("PG")


def without(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """These variables (the process's own by default) without those of libpq."""
    found = os.environ if variables is None else variables
    return {name: value for name, value in found.items() if not is_libpqs(name)}


def take() -> None:
    """Take libpq's variables out of this process and its children; `given` brings them back."""
    with _lock:
        for name in [name for name in os.environ if is_libpqs(name)]:
            _taken[name] = os.environ.pop(name)


@contextmanager
def given() -> Iterator[None]:
    """For the length of the block the variables are what the shell said: to find a named server."""
    with _lock:
        again = {name: value for name, value in _taken.items() if name not in os.environ}
        os.environ.update(again)
        try:
            yield
        finally:
            for name in again:
                os.environ.pop(name, None)


def service(name: str | None) -> dict[str, str]:
    """What the service of this name, or of PGSERVICE, says; nothing where there is none."""
    with given(), _lock:
        wanted = name or os.environ.get("PGSERVICE")
        if not wanted:
            return {}
        kept = {key: os.environ.pop(key) for key in list(os.environ) if is_libpqs(key)}
        try:
            os.environ.update({key: kept[key] for key in _WHERE if key in kept})
            plain = _defaults()
            os.environ["PGSERVICE"] = wanted
            told = _defaults()
        finally:
            for key in [key for key in os.environ if is_libpqs(key)]:
                del os.environ[key]
            os.environ.update(kept)
    return {key: value for key, value in told.items() if plain.get(key) != value}


def _defaults() -> dict[str, str]:
    options = psycopg.pq.Conninfo.get_defaults()
    return {one.keyword.decode(): one.val.decode() for one in options if one.val is not None}
