"""Every stage with every text a deal ever had, and what of it the way back makes of the deal."""

from __future__ import annotations

from collections.abc import Callable

from harness.plan import Plan
from harness.runner import Event, rollback

from .checks.mapping import PROBABILITIES
from .checks.vocabulary import WORDS, deal_stage
from .support import Conn, connected

BETWEEN = ("1.1/240_legacy_stage_kept", "1.1/230_legacy_stage_fill", "1.1/220_legacy_stage_valid")
"""Steps of the way back after which new clients still write opportunities."""
VALIDATED = """
select 1 from pg_catalog.pg_constraint
where conname = 'opportunities_stage_backup_check' and convalidated
"""
INSERT = """
insert into public.opportunities (name, stage, stage_backup) values ('Word', %s, %s) returning id
"""
MOVE = "update public.opportunities set stage = %s where id = %s"


def check_words(dsn: str, plan: Plan) -> list[str]:
    """Write every pair of stage and text, roll back, and read the deals.

    Between the steps of the way back opportunities are added and moved to another stage.
    """
    expected: dict[int, tuple[str, str | None]] = {}
    with connected(dsn) as conn:
        for stage in PROBABILITIES:
            for word in (*WORDS, None):
                expected[_add(conn, stage, word)] = (stage, word)
        rollback(dsn, plan, on_event=_writing(conn, expected))
        stands = dict(conn.execute("select id, stage from public.deals").fetchall())
    return [
        f"deal of {stage}, once {word!r}, is {stands.get(key)!r}, not {deal_stage(stage, word)!r}"
        for key, (stage, word) in expected.items()
        if stands.get(key) != deal_stage(stage, word)
    ]


def _writing(conn: Conn, expected: dict[int, tuple[str, str | None]]) -> Callable[[Event], None]:
    def meanwhile(event: Event) -> None:
        if event.kind != "step_done" or event.step not in BETWEEN:
            return
        if event.step == BETWEEN[-1] and not conn.execute(VALIDATED).fetchone():
            raise RuntimeError("users will wait for a look at every row: nothing is validated")
        for stage in PROBABILITIES:
            expected[_add(conn, stage, None)] = (stage, None)
        for word in WORDS:
            key = _add(conn, "lead", word)
            conn.execute(MOVE, ["negotiation", key])
            expected[key] = ("negotiation", deal_stage("lead", word))  # what it was in between

    return meanwhile


def _add(conn: Conn, stage: str, word: str | None) -> int:
    row = conn.execute(INSERT, [stage, word]).fetchone()
    assert row is not None
    return int(row[0])
