"""Tools that we know by name: how each is asked where it stands, and where it writes that down."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath


@dataclass(frozen=True)
class Tool:
    """A tool whose command that only reads is made of the one that migrates."""

    name: str
    programs: tuple[str, ...]
    up: str
    probe: tuple[str, ...]
    keep: tuple[str, ...] = ()

    def probing(self, words: Sequence[str]) -> tuple[str, ...] | None:
        """The words of a command that only reads; None where these are not this tool's."""
        named = [at for at, word in enumerate(words) if PurePath(word).name in self.programs]
        ups = [at for at, word in enumerate(words) if named and at > named[0] and word == self.up]
        if not ups:
            return None
        return (*words[: ups[0]], *self.probe, *self._kept(words[ups[0] + 1 :]))

    def _kept(self, words: Sequence[str]) -> list[str]:
        kept: list[str] = []
        for at, word in enumerate(words):
            name, equals, _ = word.partition("=")
            if name in self.keep:
                kept += [word] if equals else words[at : at + 2]
        return kept


@dataclass(frozen=True)
class VersionTable:
    """A table in which a tool keeps account; `columns` say how far a database has come."""

    name: str
    columns: tuple[str, ...]


def probing(words: Sequence[str]) -> tuple[str, ...] | None:
    """The words of a command that only reads, for the words of a known tool's; else None."""
    found = (tool.probing(words) for tool in _known()[0])
    return next((words for words in found if words is not None), None)


def version_tables() -> tuple[VersionTable, ...]:
    """Every table in which a known tool keeps account."""
    return _known()[1]


@functools.cache
def _known() -> tuple[tuple[Tool, ...], tuple[VersionTable, ...]]:
    document = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    tools = [
        Tool(
            one["name"],
            tuple(one["programs"]),
            one["up"],
            tuple(one["probe"]),
            tuple(one.get("keep", ())),
        )
        for one in document["tool"]
    ]
    tables = [VersionTable(one["name"], tuple(one["columns"])) for one in document["table"]]
    return tuple(tools), tuple(tables)
