"""What a reader makes of a tree: ordered revisions, and how their tool sends and records them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Sending = Literal["whole", "split", "psql"]
"""`whole`: the text is one simple query, so an implicit transaction. `split`: one statement at a
time. `psql`: likewise, by psql itself, with its own commands."""

Recording = Literal["with", "after"]
"""Whether the version row commits with the revision, or in a transaction of its own after it."""


@dataclass(frozen=True)
class ForeignScript:
    """One way of a revision. `line` is that of the file on which `text` begins.

    With `transaction` the tool opens one around the text; `recording` says when it writes its row.
    """

    path: str
    text: str
    line: int = 1
    transaction: bool = True
    sending: Sending = "whole"
    recording: Recording = "with"


@dataclass(frozen=True)
class ForeignRevision:
    """A revision of a tree: its name is its file's or folder's own.

    `values` fill the statements of the tree's account. `flaw` says why it cannot be run, with file
    and line; then `up` is what was read of it. `irreversible` is the reason that it declares.
    """

    name: str
    path: str
    up: ForeignScript
    down: ForeignScript | None = None
    values: Mapping[str, str | int | None] = field(default_factory=dict)
    irreversible: str = ""
    flaw: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The files it is read from, below the tree's root."""
        return tuple(dict.fromkeys([self.up.path, *([self.down.path] if self.down else [])]))


@dataclass(frozen=True)
class VersionAccount:
    """A tool's account of what was run, as it writes it.

    `create` makes it; `record` and `erase` note a revision gone up, and down. `begin` is what it
    commits before a revision, where it does; `blocked` then says what it answers after a kill,
    until somebody repairs the account by hand. Values are those of the revision.
    """

    names: tuple[str, ...] = ()
    create: str = ""
    record: str = ""
    erase: str = ""
    begin: str = ""
    blocked: str = ""


@dataclass(frozen=True)
class ForeignTree:
    """A directory of migrations as one tool reads it; `assumed` is what was taken as given."""

    layout: str
    root: Path
    revisions: tuple[ForeignRevision, ...]
    account: VersionAccount = VersionAccount()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class TreeLayout:
    """A kind of tree. `tried` says that its tool was run beside our reading of it.

    `marks` gives what speaks for a directory being such a tree, strongest first, or nothing; where
    two speak, the stronger mark wins: see recognition. `read` raises UsageError with file and line.
    """

    name: str
    marks: Callable[[Path], tuple[str, int] | None]
    read: Callable[[Path], ForeignTree]
    tried: bool = False
