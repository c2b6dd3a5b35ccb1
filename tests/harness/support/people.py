"""A project of another team: two steps on a table that is not in schema public, and no more."""

from __future__ import annotations

import json
from pathlib import Path

from tests.harness.support.report import documents

PLAN = """
format = 1
name = "people"
version = "1"

[[phase]]
id = "1"
name = "names"
title = "Names"
"""
BASELINE = """
create schema shop;
create table shop.person (
  id bigint generated always as identity primary key, name text not null, email text not null
);
"""
FILL = """
-- kind: batch
-- table: shop.person
-- key: id
update shop.person set nick = lower(name) where id > %(after)s and id <= %(upto)s;
"""
STEPS = {
    "010_nick": (
        "alter table shop.person add column nick text;",
        "alter table shop.person drop column nick;",
    ),
    "020_fill": (FILL, "-- nothing: the column goes with its step"),
}
PASSES = """
import json
from pathlib import Path

from harness.report import evidence


def test_it():
    for name, document in json.loads(Path(__file__).with_suffix(".json").read_text()).items():
        evidence.keep(name, document)
"""
COUNTED = {"verdict": "pass", "findings": []}


def make_people(root: Path, **steps: tuple[str, str]) -> Path:
    """The project, with other steps or more of them; _010_x is step 010_x."""
    write(root, "sql/plan.toml", PLAN)
    write(root, "sql/baseline/010_shop.sql", BASELINE)
    for name, scripts in (STEPS | {name.lstrip("_"): two for name, two in steps.items()}).items():
        for direction, text in zip(("forward", "rollback"), scripts, strict=True):
            write(root, f"sql/phases/1_names/{name}.{direction}.sql", text)
    return root


def stand_in(root: Path, *names: str) -> None:
    """Suites of the project's own, in the place of shipped ones that take long here."""
    for name in names:
        folder, _, leaf = name.rpartition("/")
        file = f"tests/migration/{folder}/test_{leaf}".replace("//", "/")
        left = {stem: told for stem, told in documents().items() if stem.split(".")[0] == name}
        write(root, f"{file}.py", PASSES)
        write(root, f"{file}.json", json.dumps(left or {leaf: COUNTED}))


def write(root: Path, name: str, text: str) -> None:
    """Write a file of the project."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.strip() + "\n")
