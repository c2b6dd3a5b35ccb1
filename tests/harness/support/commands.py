"""A project whose subject is two psql scripts: quick to start, and easily spoilt."""

from __future__ import annotations

from pathlib import Path

from tests.harness.support.people import write

BASE = """
create table public.versions (version int primary key);
create table public.item (id int primary key, label text not null);
insert into public.item select n, 'x' from generate_series(1, 50) as n;
"""
UP = """
begin;
select exists (select from public.versions where version = 1) as known \\gset
\\if :known
\\else
create table public.made (id int primary key);
insert into public.made values (1), (2);
insert into public.versions values (1);
\\endif
commit;
"""
DOWN = "begin; drop table if exists public.made; delete from public.versions; commit;"
FILE = """
[subject]
kind = "command"
up = "{psql} -X -q -v ON_ERROR_STOP=1 -f up.sql"
down = "{psql} -X -q -v ON_ERROR_STOP=1 -f down.sql"
probe = "{psql} -X -q -c 'select 1'"
baseline = "base.sql"
bookkeeping = "public.versions"
"""


def make_command_project(root: Path, psql: str, up: str = UP, down: str = DOWN) -> Path:
    """The project of a command that is good, but for what is given."""
    for name, text in {
        "harness.toml": FILE.format(psql=psql), "base.sql": BASE, "up.sql": up, "down.sql": down,
    }.items():  # fmt: skip
        write(root, name, text)
    return root
