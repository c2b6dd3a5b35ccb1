"""Flip every compared attribute, one at a time: the right digest changes and its name is told.

pg_dump is asked about flips too: it sees the same ones, but for those marked blind. In an
exhaustive run it is asked about every flip, else about a sample.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.database import admin, fingerprint, template, witness
from harness.database.fingerprint import Difference, Fingerprint
from harness.server import Server, find_client
from tests.harness.database.fingerprint import flip_names
from tests.harness.support.thorough import some_of

HERE = Path(__file__).parent / "flips"
TABLE = tomllib.loads((HERE / "flips.toml").read_text())
KIND = re.compile(r"default privileges of |(?:[a-z-]+ )+?(?=[^ ]*[._\d\"]|[^ ]+$)")
"""What an object is: the words before its name."""
Case = dict[str, Any]
UNWITNESSED = {case["name"] for case in TABLE["flip"]} - {
    case["name"] for case in some_of(TABLE["flip"], 32)
}
"""Flips about which pg_dump is not asked in this run."""


def execute(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statements)


@pytest.fixture(scope="module")
def one_of_everything(harness_server: Server) -> str:
    setup = (HERE / "setup.sql").read_text()
    return template.ensure(harness_server.dsn(), f"flips {setup}", lambda dsn: execute(dsn, setup))


@pytest.fixture(scope="module")
def original(
    harness_server: Server, one_of_everything: str
) -> Iterator[tuple[Fingerprint, witness.Dump]]:
    dsn = template.clone(harness_server.dsn(), one_of_everything)
    yield fingerprint.take(dsn, workers=1, detail=True), witness.dump(dsn)
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.fixture
def prepared(
    harness_clone: Callable[[str], str],
    one_of_everything: str,
    original: tuple[Fingerprint, witness.Dump],
) -> Callable[[Case], tuple[str, Fingerprint, witness.Dump]]:
    """A clone, and what it is like before the flip."""

    def prepare(case: Case) -> tuple[str, Fingerprint, witness.Dump]:
        dsn = harness_clone(one_of_everything)
        if "before" not in case:
            return dsn, *original
        execute(dsn, case["before"])
        dump = original[1] if case["name"] in UNWITNESSED else witness.dump(dsn)
        return dsn, fingerprint.take(dsn, workers=1, detail=True), dump

    return prepare


def named(differences: tuple[Difference, ...]) -> list[str]:
    return [str(difference) for difference in differences]


def cases(kind: str) -> list[Any]:
    """The cases of a kind, each with what it needs of a server."""
    return [
        pytest.param(
            case,
            id=case["name"],
            marks=pytest.mark.postgres(
                **{key: case[key] for key in ("since", "until") if key in case},
                icu="icu" in case.get("as", "") + case.get("or_as", ""),
            ),
        )
        for case in TABLE[kind]
    ]


def assert_named(expected: list[str], before: Fingerprint, after: Fingerprint) -> None:
    """Each expected difference is told, and the digests of their kinds differ."""
    differences = named(fingerprint.compare(before, after))
    for one in expected:
        assert any(d.startswith(one) for d in differences), differences
    for kind in {one.partition(":")[0] for one in expected}:
        assert getattr(before, kind) != getattr(after, kind)
    assert before != after


@pytest.mark.parametrize("flip", cases("flip"))
def test_a_flip_is_seen_and_named(flip: Case, prepared: Callable[[Case], Any]) -> None:
    dsn, before, dump = prepared(flip)
    try:
        execute(dsn, flip["sql"])
        after = fingerprint.take(dsn, workers=1, detail=not flip.get("undetailed", False))
        user = psycopg.conninfo.conninfo_to_dict(dsn)["user"]
        assert_named([one.replace("{user}", str(user)) for one in flip["differs"]], before, after)
        if flip["name"] not in UNWITNESSED and not flip.get("undumpable", False):
            seen = witness.differences(dump, witness.dump(dsn))
            assert bool(seen) != flip.get("blind", False), seen
    finally:
        if "after" in flip:
            execute_apart(dsn, flip["after"])


def test_every_compared_attribute_has_a_flip() -> None:
    flipped = [one for case in TABLE["flip"] + TABLE["created"] for one in case["differs"]]
    missing = [
        str(attribute)
        for attribute in flip_names.compared()
        if not any(attribute.is_flipped_by(one) for one in flipped)
    ]
    assert missing == []


def test_an_attribute_without_a_flip_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "planted.sql"
    path.write_text("select 'table ' || c.name, jsonb_build_object('colour', c.relname) from c")
    (planted,) = flip_names.of_file("catalog", path)
    flipped = [one for case in TABLE["flip"] for one in case["differs"]]
    assert str(planted) == "catalog: table …: colour"
    assert not any(planted.is_flipped_by(one) for one in flipped)
    assert planted.is_flipped_by("catalog: table app.log: colour")


def test_owner_and_privileges_of_every_kind_have_a_flip(
    original: tuple[Fingerprint, witness.Dump],
) -> None:
    flipped = [one for case in TABLE["flip"] for one in case["differs"]]
    wanted = {
        (KIND.match(name)[0], attribute)  # type: ignore[index]  # every name has a kind
        for name, text in original[0].objects["security"].items()
        for attribute in ("owner", "privileges")
        if attribute in json.loads(text)
    }
    missing = {
        (kind, attribute)
        for kind, attribute in wanted
        if not any(
            one.startswith(f"security: {kind}") and one.endswith(f": {attribute}")
            for one in flipped
        )
    }
    assert len(wanted) > 30
    assert missing == {("column ", "owner")}  # it is the table's


@pytest.mark.parametrize("created", cases("created"))
def test_what_a_database_was_created_with_is_seen_and_named(
    created: Case, harness_server: Server
) -> None:
    names = [admin.unique_name("harness_created") for _ in range(2)]
    prints = []
    try:
        for name, options in zip(names, (created["as"], created["or_as"]), strict=True):
            execute(harness_server.dsn(), f"create database {name} template template0 {options}")
            prints.append(fingerprint.take(admin.with_dbname(harness_server.dsn(), name)))
    finally:
        for name in names:
            admin.drop(harness_server.dsn(), name)
    assert_named(created["differs"], *prints)


@pytest.mark.parametrize("still", TABLE["still"], ids=lambda still: still["name"])
def test_what_is_no_part_of_the_identity_changes_nothing(
    still: Case, prepared: Callable[[Case], Any]
) -> None:
    dsn, before, dump = prepared(still)
    execute_apart(dsn, still["sql"])
    after = fingerprint.take(dsn, workers=1, detail=True)
    assert named(fingerprint.compare(before, after)) == []
    assert before == after
    seen = witness.differences(dump, witness.dump(dsn))
    assert bool(seen) == still.get("dump_differs", False), seen


def execute_apart(dsn: str, statements: str) -> None:
    """VACUUM does not run in a transaction, and neither does a text of several statements."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        if statements.startswith("do "):
            conn.execute(statements)
            return
        for statement in statements.split("; "):
            conn.execute(statement)


def test_every_flip_changes_only_its_own_digest(
    prepared: Callable[[Case], Any],
) -> None:
    planted = {
        "catalog": "alter table app.log set (fillfactor = 70)",
        "security": "grant update on app.item to anon",
        "data": "update app.item set big = 0 where id = 7",
        "sequences": "select nextval('app.counter')",
    }
    for kind, statement in planted.items():
        dsn, before, _ = prepared({})
        execute(dsn, statement)
        after = fingerprint.take(dsn)
        changed = {k for k in planted if getattr(before, k) != getattr(after, k)}
        assert changed == {kind}


def test_a_restored_dump_has_other_oids_and_the_same_fingerprint(
    harness_server: Server,
    one_of_everything: str,
    harness_clone: Callable[[str], str],
    harness_empty_database: str,
) -> None:
    dsn = harness_clone(one_of_everything)
    execute(
        harness_empty_database, "create table moved (id integer); drop table moved"
    )  # other oids
    restore(dsn, harness_empty_database, harness_server.version)
    before, after = fingerprint.take(dsn), fingerprint.take(harness_empty_database)
    assert named(fingerprint.compare(before, after)) == []
    oids = [oid_of(each, "app.item") for each in (dsn, harness_empty_database)]
    assert oids[0] != oids[1]


def restore(source: str, target: str, version: int) -> None:
    dump = subprocess.run(
        [find_client("pg_dump", version), "--dbname", source], capture_output=True, check=True
    )
    subprocess.run(
        [find_client("psql", version), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--dbname", target],
        input=dump.stdout,
        capture_output=True,
        check=True,
    )


def oid_of(dsn: str, relation: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select %s::regclass::oid::bigint", (relation,)).fetchone()
        assert row is not None
        return int(row[0])
