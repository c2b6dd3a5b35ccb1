"""What stands in a step's way, and what its owner loses, is found in the schema the step uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check.security.policy import SecurityPolicy, load
from harness.crash.domain.tampered.intrusion import intrusions
from harness.crash.domain.tampered.role import first_schemas
from harness.plan import Script
from tests.harness.support.runner import SmallPlan

STEP = "phases/1.1_fill/010_column.forward.sql"


def script(root: Path, text: str) -> Script:
    small = SmallPlan(root)
    small.write(STEP, text)
    return small.load().steps[0].forward


def test_a_foreign_object_stands_in_the_steps_own_schema(tmp_path: Path) -> None:
    of = script(tmp_path, 'create table "Weird Schema"."Odd" (id int);\ndrop table app.old;\n')
    table, used = intrusions(of)
    assert table.do == 'create table "Weird Schema"."Odd" (harness_foreign integer)'
    assert used.do == 'create view "app"."harness_foreign" as select count(*) from "app"."old"'


def test_a_name_without_a_schema_is_not_guessed(tmp_path: Path) -> None:
    assert list(intrusions(script(tmp_path, "create table things2 (id int);\n"))) == []


def test_the_right_to_create_is_that_of_the_first_schema_of_each_kind(tmp_path: Path) -> None:
    text = (
        'create table "Weird Schema".a (id int);\ncreate table app.b (id int);\n'
        "create view app.v as select 1 as one;\n"
    )
    assert first_schemas(script(tmp_path, text)) == {"table": "Weird Schema", "view": "app"}


@pytest.mark.parametrize(
    ("schemas", "shown"),
    [
        ("", {"app", "Weird Schema", "public"}),
        ('schemas = ["Weird Schema"]\n', {"Weird Schema"}),
    ],
)
def test_a_policy_without_schemas_speaks_of_every_one_but_ours(
    tmp_path: Path, schemas: str, shown: set[str]
) -> None:
    path = tmp_path / "security.toml"
    path.write_text(f'format = 1\nroles = ["app"]\n{schemas}', encoding="utf-8")
    policy: SecurityPolicy = load(path)
    known = ("app", "Weird Schema", "public", "migration_control", "migration_archive")
    assert {schema for schema in known if policy.shows(schema)} == shown
