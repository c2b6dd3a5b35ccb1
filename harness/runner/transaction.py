"""What the runner sends around a script's statements: how its transaction begins and ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import sql

from harness.runner import lock
from harness.runner.settings import set_sql
from harness.runner.timeouts import setting_name, setting_value

EARLY = "transaction_"  # settings that Postgres takes before the first query only
CHECKED = sql.SQL(
    "SET CONSTRAINTS ALL IMMEDIATE;SET CONSTRAINTS ALL DEFERRED;CLOSE ALL;"
    "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;"
)
"""Whatever waits for the commit is checked as the script left the transaction, as its role; then
role and settings are the runner's again, and what follows is its own."""


def set_local(values: Mapping[str, str] | Sequence[tuple[str, str]]) -> sql.Composed:
    """SET LOCAL each value."""
    pairs = values.items() if isinstance(values, Mapping) else values
    return sql.SQL("").join(
        sql.SQL("SET LOCAL {} = {};").format(setting_name(name), setting_value(name, value))
        for name, value in pairs
    )


def late(script: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The settings of a script that may come after a query."""
    return [(name, value) for name, value in script if not name.startswith(EARLY)]


def begin(
    ours: sql.Composed,
    own: Mapping[str, str],
    script: Sequence[tuple[str, str]],
    head: Sequence[str],
    fence: sql.Composed,
    look: sql.Composed | None = None,
) -> sql.Composed:
    """Begin a transaction behind the fence; `ours` are the session's settings.

    `own` are the transaction's, under which the fence is waited for. The script's come after it: a
    role that may not read the ledger is then no matter. Its isolation level, in a header or in
    `head`, its statements that come before any query, cannot wait. `look` is asked before it all.
    """
    early = [(name, value) for name, value in script if name.startswith(EARLY)]
    return sql.Composed(
        [
            sql.SQL("BEGIN;"),
            ours,
            *([] if look is None else [look]),
            sql.SQL("COMMIT;BEGIN;"),
            set_local(own),
            set_local(early),
            *(sql.SQL(text + "\n;") for text in head),
            lock.at_work_sql(),
            fence,
            set_local(late(script)),
        ]
    )


def end(known: Mapping[str, str], *, used: bool) -> sql.Composed:
    """What comes before the runner's own writing, where a script has used the transaction."""
    if not used:
        return sql.Composed([])
    return CHECKED + set_sql(known, local=True)
