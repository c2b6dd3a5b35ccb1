"""Stages in both vocabularies, every word with every other, and each column old clients write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..support import Pair, records
from . import specification
from .mapping import PROBABILITIES, STAGES, stage_of
from .trial import Trial, trial

OLD_WORDS = {new: old for old, new in STAGES.items()} | {
    "qualified": "opportunity",
    "needs_analysis": "opportunity",
}
ODD_WORDS = (" Later", "Won", " won", "lost ", "delayed\t", "won\u200b", "proposal sent", "")
WORDS = (*STAGES, *PROBABILITIES, *ODD_WORDS)
LATE = datetime(2031, 5, 6, 23, 30, tzinfo=UTC)
EDITS: dict[str, dict[str, Any]] = {
    "deals": {
        "id": 990_001,
        "name": "Another name",
        "company_id": None,
        "contact_ids": [3, 1],
        "category": "Another",
        "stage": "delayed",
        "description": "Another text",
        "amount": 77,
        "created_at": LATE,
        "updated_at": LATE,
        "archived_at": LATE,
        "expected_closing_date": LATE,
        "sales_id": None,
        "index": 9,
    },
    "dealNotes": {
        "id": 990_001,
        "deal_id": None,
        "type": "another",
        "text": "Another text",
        "date": LATE,
        "sales_id": None,
        "attachments": [],
    },
}


def deal_stage(stage: str, backup: str | None) -> str:
    """The old word for a stage: the very text it had, while that still means the same."""
    return backup if backup is not None and stage_of(backup) == stage else OLD_WORDS[stage]


def check_every_stage_has_its_old_word(pair: Pair) -> list[str]:
    """Whatever text a deal had and whatever stage it is in now, old clients read the right word."""
    with trial(pair.target) as t:
        for stage in PROBABILITIES:
            for backup in (*WORDS, None):
                deal = t.opportunity(stage=stage, stage_backup=backup)
                claim = f"deals.stage of {stage}, once {backup!r}"
                t.same(claim, t.get("deals", deal, "stage"), deal_stage(stage, backup))
                said = t.value(
                    "select public.deal_stage_of(%s::public.opportunity_stage, %s)", stage, backup
                )
                t.same(f"deal_stage_of {stage}, once {backup!r}", said, deal_stage(stage, backup))
    return t.findings


def check_every_word_is_written(pair: Pair) -> list[str]:
    """Old clients write any word, new or over another, and read it; it means the right stage."""
    with trial(pair.target) as t:
        moved = t.insert("deals", name="Moved", stage="won")
        for word in WORDS:
            added = t.insert("deals", name="Added", stage=word)
            t.update("deals", moved, stage="lost" if word != "lost" else "won")
            t.update("deals", moved, stage=word)
            for key in (added, moved):
                stands = t.get("opportunities", key, "stage", "stage_backup")
                t.same(f"stage of a deal {word!r}", stands, (stage_of(word), word))
            said = t.value("select public.opportunity_stage_of(%s)", word)
            t.same(f"opportunity_stage_of {word!r}", said, stage_of(word))
    return t.findings


def check_old_clients_write_each_column(pair: Pair) -> list[str]:
    """A column written through a compatibility view is written, and no other is."""
    with trial(pair.target) as t:
        for view, edits in EDITS.items():
            for name, value in edits.items():
                _written(t, view, name, value)
            lost = t.conn.execute(f'update public."{view}" set id = id where id = -1')
            t.same(f"rows of {view} changed where there is none", lost.rowcount, 0)
    return t.findings


def _written(t: Trial, view: str, name: str, value: Any) -> None:
    company, sales = t.company(), t.value("select min(id) from public.sales")
    deal = t.insert("deals", name="A deal", stage="won", company_id=company, sales_id=sales)
    key = deal
    if view == "dealNotes":
        key = t.insert("dealNotes", deal_id=deal, text="A note", sales_id=sales)
        value = t.insert("deals", name="Other", stage="won") if name == "deal_id" else value
    before = _row(t, view, key)
    t.update(view, key, **{name: value})
    after = _row(t, view, value if name == "id" else key)
    t.same(f"{view} after a write of {name}", after, {**before, name: value})


def _row(t: Trial, view: str, key: Any) -> dict[str, Any]:
    fields = ", ".join(f'"{name}"' for name in specification.old_columns(view))
    found = records(t.conn, f'select {fields} from public."{view}" where id = %s', [key])
    return found[0] if found else {}


def check_search_follows_each_column(pair: Pair) -> list[str]:
    """A word written to one searched column alone is found, and after the next write is not."""
    searched = {
        "companies": ("name", "sector", "description", "website", "city"),
        "contacts": ("first_name", "last_name", "title", "department", "background"),
        "opportunities": ("name", "description", "category", "next_action"),
    }
    query = "select count(*) from public.{} where id = {} and search_tsv @@ 'zyxwv'::tsquery"
    with trial(pair.target) as t:
        rows = {
            "companies": t.company(),
            "contacts": t.contact(),
            "opportunities": t.opportunity(),
        }
        for table, names in searched.items():
            for name in names:
                asked = query.format(table, rows[table])
                t.update(table, rows[table], **{name: "zyxwv"})
                t.same(f"{table} found by {name}", t.value(asked), 1)
                t.update(table, rows[table], **{name: "something"})
                t.same(f"{table} found by what {name} was", t.value(asked), 0)
            last = {names[-1]: "word " * 20_000 + "zyxwv"}
            t.update(table, rows[table], **last)
            t.same(f"{table} found by the last of 100,000 characters", t.value(asked), 1)
            t.update(table, rows[table], **{names[-1]: "something"})
        t.conn.execute(
            """update public.contacts set email_jsonb = '[{"email": "zyxwv"}]' where id = %s""",
            [rows["contacts"]],
        )
        found = t.value(query.format("contacts", rows["contacts"]))
        t.same("contacts found by e-mail address", found, 1)
    return t.findings
