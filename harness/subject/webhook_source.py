"""What tells others of a subject's changes, as the subject's object names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WebhookSource:
    """Triggers that queue events, and writes of clients by which that is tried.

    `setup` is a directory of SQL files that are applied before the migration, once there is an
    outbox. `schemas` has the file of a JSON schema for each vocabulary. `old_writes` are statements
    of an old client, sent before, during and after the migration: the vocabulary `old` tells of
    them the same as without it. `new_writes` are those of a new one, sent while it is migrated.
    %(n)s in a statement is the number of the round: what it writes is the same each time it is run.
    """

    setup: str
    schemas: Mapping[str, str]
    old_writes: tuple[str, ...]
    new_writes: tuple[str, ...] = ()
    old: str = "old"
    new: str = "new"
