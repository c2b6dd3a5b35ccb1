"""The shipped suite as it is, and what each defect of the event function is found as."""

from __future__ import annotations

from harness.plan import Plan
from harness.runner import migrate
from harness.suite.journey import impatient
from harness.suite.support import FEW, CloneFactory, TemplateFactory, connected
from harness.suite.webhooks import *  # noqa: F403
from harness.suite.webhooks import (
    MOMENTS,
    differences_of_old,
    prepare_source,
    read_schemas,
    source_of,
    tell_without,
    write_rounds,
)
from harness.webhook.proof import judge_schemas, read_queued
from harness.webhook.receiver import ReceivedWebhook

AS_PLATFORMS_DO = """
create or replace function events.tell_deal() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform migration_outbox.enqueue('old', 'deals.' || tg_op, 'deals/' || coalesce(new.id, old.id),
        jsonb_build_object('type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema,
            'record', to_jsonb(new), 'old_record', to_jsonb(old)));
    return null;
end
$$
"""
STAGES_OF_NEW = """
create or replace function public.deal_stage_of(stage public.opportunity_stage, stage_backup text)
returns text language sql immutable as 'select stage::text'
"""
NO_TRIGGER = "alter table public.opportunities disable trigger user"
DEFECTS = {
    AS_PLATFORMS_DO: ('"table": "opportunities"', True),
    STAGES_OF_NEW: ('"stage": "negotiation"', True),
    NO_TRIGGER: ("0 events, 4 without the migration", False),
}
"""What would change what old receivers are told; what is said, and whether the schema sees it."""


def test_a_vocabulary_that_flips_is_found(
    harness_plan: Plan, harness_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    root, source = source_of(harness_plan)
    template = harness_template(rows=FEW)
    alone, migrated = harness_clone(template), harness_clone(template)
    for dsn in (alone, migrated):
        prepare_source(dsn, root, source)
    migrate(migrated, impatient(harness_plan), until="1.1/210_swap")
    without = tell_without(alone, source, 1)
    with connected(migrated) as conn:
        for defect, (said, is_seen) in {"select 1": ("", False), **DEFECTS}.items():
            with conn.transaction(force_rollback=True):
                conn.execute(defect.encode())
                write_rounds(conn, source.old_writes, range(len(MOMENTS)))
                queued = read_queued(conn)
            found = differences_of_old(source, without, queued)
            assert bool(found) == bool(said), found
            assert said in " ".join(found)
            received = [
                ReceivedWebhook(one.endpoint, one.id, "", "", one.body.encode(), 204)
                for one in queued
            ]
            assert bool(judge_schemas(received, read_schemas(root, source))) == is_seen
