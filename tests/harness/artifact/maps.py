"""A rename map as the reference migration makes one, small enough to read."""

from __future__ import annotations

from harness.artifact.kind.grafana import GRAFANA as GRAFANA
from harness.artifact.kind.model import ArtifactKind
from harness.artifact.renames import RelationChange, RenameMap, ValuePairs
from harness.artifact.schema import RelationName, SeenRelation, SeenSchema

STAGES = ValuePairs(
    {"won": "closed_won", "lost": "closed_lost", "it's late": "nurturing"},
    kept=frozenset({"lead", "proposal"}),
)


def relation(name: str, *columns: str) -> SeenRelation:
    return SeenRelation(RelationName("public", name), columns)


def crm_map(**changed: RelationChange) -> RenameMap:
    deals = relation("deals", "id", "name", "stage", "amount", "company_id")
    notes = relation("dealNotes", "id", "deal_id", "text")
    people = relation("contacts", "id", "company_id", "email", "tags")
    firms = relation("companies", "id", "name", "sector")
    after = {
        "deals": relation(
            "opportunities", "id", "name", "stage_backup", "amount", "company_id", "stage", "status"
        ),
        "dealNotes": relation("opportunityNotes", "id", "opportunity_id", "text"),
        "contacts": people,
        "companies": relation("companies", "id", "name", "sector", "priority"),
    }
    same = {name: name for one in (deals, people, firms) for name in one.columns}
    changes = {
        deals.name: RelationChange(
            deals, after["deals"], {n: same[n] for n in deals.columns}, {}, {"stage": STAGES}
        ),
        notes.name: RelationChange(
            notes, after["dealNotes"], {"id": "id", "deal_id": "opportunity_id", "text": "text"}
        ),
        people.name: RelationChange(people, people, {n: n for n in people.columns}),
        firms.name: RelationChange(firms, after["companies"], {n: n for n in firms.columns}),
    }
    changes |= {one.old.name: one for one in changed.values()}
    before = SeenSchema.of((deals, notes, people, firms), ("public",))
    return RenameMap(before, SeenSchema.of(after.values(), ("public",)), changes)


PAGES = ArtifactKind("pages", (".html",), lambda _tree: None)
