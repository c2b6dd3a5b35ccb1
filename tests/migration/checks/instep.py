"""In step: what an opportunity, a summary and a search say follows what was last written."""

from __future__ import annotations

from datetime import UTC, date, datetime

from ..support import Pair, acting_as, column
from .mapping import PROBABILITIES, STAGES, utc_date
from .trial import Trial, trial

LATE = datetime(2031, 5, 6, 23, 30, tzinfo=UTC)  # the next day east of Greenwich


def check_probability_follows_stage(pair: Pair) -> list[str]:
    """Probability is the stage's, unless stage_manual says that a person sets it."""
    with trial(pair.target) as t:
        for stage, probability in PROBABILITIES.items():
            deal = t.opportunity(stage=stage)
            t.same(
                f"probability of a new {stage}",
                t.get("opportunities", deal, "probability"),
                probability,
            )
        deal = t.opportunity()
        for stage, probability in PROBABILITIES.items():
            t.update("opportunities", deal, stage=stage)
            t.same(
                f"probability moved to {stage}",
                t.get("opportunities", deal, "probability"),
                probability,
            )
        t.update("opportunities", deal, stage_manual=True, probability=33, stage="proposal")
        t.same("manual probability", t.get("opportunities", deal, "probability"), 33)
        t.update("opportunities", deal, stage="closed_won")
        t.same(
            "manual probability of a later stage", t.get("opportunities", deal, "probability"), 33
        )
    return t.findings


def check_closing_is_dated(pair: Pair) -> list[str]:
    """Closing dates an opportunity by its updated_at in UTC; opening it again clears that."""
    with trial(pair.target) as t:
        deal = t.opportunity()
        t.same(
            "actual_close_date of an open one",
            t.get("opportunities", deal, "actual_close_date"),
            None,
        )
        t.update("opportunities", deal, stage="closed_won", updated_at=LATE)
        t.same("actual_close_date", t.get("opportunities", deal, "actual_close_date"), LATE.date())
        t.update("opportunities", deal, stage="proposal")
        t.same(
            "actual_close_date reopened", t.get("opportunities", deal, "actual_close_date"), None
        )
        given = date(2030, 1, 2)
        t.update("opportunities", deal, actual_close_date=given)
        t.update("opportunities", deal, stage="qualified")
        t.same(
            "actual_close_date given to an open one",
            t.get("opportunities", deal, "actual_close_date"),
            given,
        )
        t.update("opportunities", deal, stage="closed_lost")
        t.update(
            "opportunities", deal, stage="closed_won", updated_at=datetime(2040, 1, 1, tzinfo=UTC)
        )
        t.same(
            "actual_close_date from one closed stage to another",
            t.get("opportunities", deal, "actual_close_date"),
            LATE.date(),
        )
        t.update("opportunities", deal, stage="lead", updated_at=LATE)
        t.update("opportunities", deal, stage="closed_won", actual_close_date=None)
        t.same(
            "actual_close_date taken away while it is closed",
            t.get("opportunities", deal, "actual_close_date"),
            LATE.date(),
        )
        t.update("opportunities", deal, stage="lead")
        t.update("opportunities", deal, stage="closed_lost", actual_close_date=given)
        t.same(
            "actual_close_date as given", t.get("opportunities", deal, "actual_close_date"), given
        )
        t.update("opportunities", deal, stage="lead")
        t.update("opportunities", deal, actual_close_date=given)
        won = {"stage": "closed_won", "actual_close_date": None, "updated_at": LATE}
        t.update("opportunities", deal, **won)
        t.same(
            "actual_close_date taken away while it is closing",
            t.get("opportunities", deal, "actual_close_date"),
            LATE.date(),
        )
    return t.findings


def check_close_dates_follow_each_other(pair: Pair) -> list[str]:
    """estimated_close_date is expected_closing_date's date in UTC, whichever is written."""
    with trial(pair.target) as t:
        deal = t.opportunity(expected_closing_date=LATE)
        t.same(
            "estimated_close_date",
            t.get("opportunities", deal, "estimated_close_date"),
            LATE.date(),
        )
        t.update("opportunities", deal, estimated_close_date=date(2032, 2, 29))
        expected = t.get("opportunities", deal, "expected_closing_date")
        t.same("expected_closing_date", utc_date(expected), date(2032, 2, 29))
        t.update("opportunities", deal, expected_closing_date=None)
        t.same(
            "estimated_close_date cleared",
            t.get("opportunities", deal, "estimated_close_date"),
            None,
        )
        t.update("opportunities", deal, expected_closing_date=LATE)
        both = {"estimated_close_date": date(2034, 4, 4), "expected_closing_date": None}
        t.update("opportunities", deal, **both)
        closes = t.get("opportunities", deal, "estimated_close_date", "expected_closing_date")
        t.same("both dates, the moment taken away", closes[0], date(2034, 4, 4))
        t.same("the moment that the day gives", utc_date(closes[1]), date(2034, 4, 4))
        both["expected_closing_date"] = LATE
        t.update("opportunities", deal, **both | {"estimated_close_date": date(2035, 5, 5)})
        estimate = t.get("opportunities", deal, "estimated_close_date")
        t.same("the day, where both are written", estimate, LATE.date())
        other = t.opportunity(estimated_close_date=date(2033, 3, 3))
        expected = t.get("opportunities", other, "expected_closing_date")
        t.same("expected_closing_date of a new one", utc_date(expected), date(2033, 3, 3))
    return t.findings


def check_stage_backup_follows_old_clients(pair: Pair) -> list[str]:
    """An old client's stage reaches the opportunity; a new client's reaches the old client."""
    with trial(pair.target) as t, acting_as(pair.target, "authenticated"):
        deal = t.insert("deals", name="old", stage="opportunity")
        for old, new in {**STAGES, "On Hold ": "lead"}.items():
            t.update("deals", deal, stage=old)
            t.same(f"stage of old {old!r}", t.get("opportunities", deal, "stage"), new)
            t.same(f"old stage {old!r} read back", t.get("deals", deal, "stage"), old)
        t.update("deals", deal, stage="won")  # a text of its own comes back with its stage
        for old, new in STAGES.items():
            t.update("opportunities", deal, stage=new)
            t.same(f"old stage of {new}", t.get("deals", deal, "stage"), old)
        for new in ("qualified", "needs_analysis"):
            t.update("opportunities", deal, stage=new)
            t.same(f"old stage of {new}", t.get("deals", deal, "stage"), "opportunity")
    return t.findings


def check_summaries_count_live_rows(pair: Pair) -> list[str]:
    """A summary counts opportunities, contacts and organizations that are not buried."""
    with trial(pair.target) as t:
        company, contact = t.company(), t.contact()
        for buried in (None, datetime.now(UTC)):
            t.opportunity(company_id=company, deleted_at=buried)
            t.contact(company_id=company, deleted_at=buried)
            t.insert(
                "contact_organizations",
                contact_id=contact,
                organization_id=t.company(),
                deleted_at=buried,
            )
        counts = t.get("companies_summary", company, "nb_deals", "nb_opportunities", "nb_contacts")
        t.same("counts of a company", counts, (1, 1, 1))
        counted = t.get("contacts_summary", contact, "nb_organizations")
        t.same("organizations of a contact", counted, 1)
    return t.findings


def check_search_follows(pair: Pair) -> list[str]:
    """A row is found by what was last written to it."""
    with trial(pair.target) as t:
        rows = {
            "companies": (t.company(city="Xanaduville"), {"city": "Elsewhere"}),
            "contacts": (
                t.contact(email_jsonb='[{"email": "a@b.example"}, {"email": "xanaduville"}]'),
                {"email_jsonb": "[]"},
            ),
            "opportunities": (t.opportunity(next_action="xanaduville"), {"next_action": None}),
        }
        for table, (key, change) in rows.items():
            t.same(f"{table} found when new", key in _found(t, table), True)
            t.update(table, key, **change)
            t.same(f"{table} found by what is gone", key in _found(t, table), False)
            name = "first_name" if table == "contacts" else "name"
            t.update(table, key, **{name: "Xanaduville"})
            t.same(f"{table} found when changed", key in _found(t, table), True)
        key = t.contact(department="Xanaduville", title="x", background="y")
        t.same("contacts found by department", key in _found(t, "contacts"), True)
    return t.findings


def _found(t: Trial, table: str) -> list[int]:
    query = (
        f"select id from public.{table} where search_tsv @@"
        " to_tsquery('pg_catalog.english', 'xanaduville')"
    )
    return column(t.conn, query)
