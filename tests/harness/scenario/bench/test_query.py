"""Files of benchmark queries: both sides, what they say, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.scenario.bench.query import Allowance, load_queries, read_query

BOTH = """-- about: x
-- role: web
-- param: word = select 'a'
-- expects: shop.a shop.b
-- allows: buffers 2.5 it reads more
select 1 where 'a' like %(word)s || '%%' -- after: is in no line of its own
-- after:
-- a word
insert into shop.t values (1); select 2
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "query.sql"
    path.write_text(text)
    return path


def test_both_sides_of_a_file(tmp_path: Path) -> None:
    query = read_query(written(tmp_path, BOTH))
    assert query.before[0].startswith("select 1 where")
    assert query.after == ("insert into shop.t values (1)", "select 2")
    assert (query.name, query.actor.role, query.writes) == ("query", "web", True)
    assert query.expects == ("shop.a", "shop.b")
    assert query.allows == {"buffers": Allowance(2.5, "it reads more")}
    assert query.params == {"word": "select 'a'"}


def test_one_text_is_what_an_old_client_sends(tmp_path: Path) -> None:
    query = read_query(written(tmp_path, "-- about: x\nselect 1;"))
    assert query.before == query.after == ("select 1",)
    assert not query.writes


def test_a_file_without_a_before(tmp_path: Path) -> None:
    text = "-- about: x\n-- after:\nwith a as (delete from t returning 1) select * from a"
    query = read_query(written(tmp_path, text))
    assert (query.before, query.writes) == ((), True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("select 1", r"query.sql:1: has no header 'about'"),
        ("-- about: x\n-- abuot: y\nselect 1", r"query.sql:2: unknown header 'abuot'"),
        ("-- about: x\n-- allows: clock 2 why\nselect 1", r"query.sql:2: it is written: allow"),
        ("-- about: x\n-- allows: wal 2\nselect 1", r"query.sql:2: it is written: allows"),
        ("-- about: x\n-- param: a\nselect 1", r"query.sql:2: a parameter is written"),
        ("-- about: x\nselect %(a)s", r"query.sql:2: parameter 'a' has no header"),
        ("-- about: x\nselect 5 % 2", r"query.sql:2: a % that is no parameter"),
        ("-- about: x\nselect 1\n-- after:\nselct 2", r"query.sql:4: syntax error .*42601"),
        ("-- about: x\nselect 1;\ndrop table t", r"query.sql:3: a benchmark query is SELECT"),
        ("-- about: x\nselect 1\n-- after:\n", r"query.sql:1: holds no statement of after"),
        ("-- about: x\n", r"query.sql:1: holds no statement of after"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_query(written(tmp_path, text))


def test_a_directory_without_a_query_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no query"):
        load_queries(tmp_path)
