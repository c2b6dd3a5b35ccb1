"""The reference subject's artifacts on both schemas: each planted break is a finding by place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.document.impact import ImpactDocument
from harness.scenario.impact.clones import Clones
from harness.scenario.impact.run import ImpactSettings, run_impact
from harness.server import Server
from harness.subject.protocol import Subject

EXTERNAL = Path(__file__).parents[3] / "fixtures" / "external"
Look = Callable[..., ImpactDocument]


@pytest.fixture(scope="module")
def clones(harness_server: Server, harness_source: str, harness_target: str) -> Clones:
    return Clones(harness_server.dsn(), harness_source, harness_target)


@pytest.fixture
def look(clones: Clones, harness_subject: Subject) -> Look:
    def run(*paths: Path, **settings: object) -> ImpactDocument:
        made = ImpactSettings(harness_subject, paths, **settings)  # type: ignore[arg-type]
        return run_impact(made, clones)

    return run


def dashboard(*queries: str) -> str:
    """A dashboard with a panel a line, in a spelling of its own."""
    panels = ",\r\n".join(
        '\t{"title": "caf\\u00e9", "targets":[{"rawSql": ' + json.dumps(query) + "}]}"
        for query in queries
    )
    return '{"panels":[\r\n' + panels + "]}"


def test_what_stands_around_is_rewritten_and_gives_the_same(look: Look, tmp_path: Path) -> None:
    document = look(EXTERNAL, out=tmp_path / "out")
    assert [f for f in document.findings if f.severity != "info"] == []
    assert document.verdict == "pass"
    assert document.counts["same"] >= 10
    assert document.map["values"]["public.deals"]["stage"]["won"] == "closed_won"
    rules = (tmp_path / "out" / "prometheus" / "rules.yml").read_text()
    assert 'stage="closed_won"' in rules
    again = look(tmp_path / "out", write=True)
    assert (again.counts["edits"], again.verdict) == (0, "pass")


def test_map_forward_then_back_is_the_same_bytes(look: Look, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    look(EXTERNAL / "reports", EXTERNAL / "alerting", out=there)
    look(there, out=back, back=True)
    for path in back.rglob("*.*"):
        source = next(EXTERNAL.rglob(path.name))
        assert path.read_bytes() == source.read_bytes()
        assert path.read_bytes() != (there / path.relative_to(back)).read_bytes()


BREAKS = [
    ("select stage from deals where lower(stage) = 'won'", "impact-refused", "$.panels[0]"),
    ("select 1 from deals_$env", "impact-refused", "glued"),
    ("select 1 from deals where $__timeFilter(coalesce(a, b))", "impact-refused", "cuts"),
    ("select $__nobody(created_at) from deals", "impact-cannot", "unknown macro '__nobody'"),
    ("select expected_revenue from deals", "impact-cannot", "42703"),
    ("select * from deals", "impact-differs", "other columns"),
    ("select count(*) from deals where stage = '$gone'", "impact-cannot", "has no value"),
    ("select pg_read_file('/etc/hostname')", "impact-cannot", "42501"),
    ("drop table deals", "impact-refused", "not a query"),
    ("select stage from deals order by stage", "impact-differs", "sorted otherwise"),
]


def test_each_planted_break_is_a_finding_at_its_place(look: Look, tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_bytes(dashboard(*(query for query, _, _ in BREAKS)).encode())
    document = look(path)
    found = {one.where: one for one in document.findings}
    for line, (query, finding, said) in enumerate(BREAKS, 2):
        told = found[f"{path}:{line}"]
        assert (told.id, said in told.message) == (finding, True), (query, told)
    assert document.verdict == "fail"


def test_a_result_that_changes_by_itself_is_unknown(look: Look, tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_text(dashboard("select random() from deals limit 1", "select now() from deals"))
    document = look(path)
    assert document.verdict == "unknown"
    assert dict(document.counts) == {"unknown": 1, "same": 1, "artifacts": 1, "edits": 2}


def test_a_declared_difference_passes_with_its_reason(look: Look, tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_text(dashboard("select * from deals"))
    said = tmp_path / "map.toml"
    said.write_text(
        '[same]\n"board.json#$.panels[0].targets[0].rawSql" = "more columns are fine"\n'
    )
    document = look(path, map_path=said)
    assert document.verdict == "pass"
    assert document.counts["declared"] == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('[relations]\n"public.nothing" = "public.deals"\n', r"map.toml:2: the map names nothing"),
        ('[columns."public.deals"]\nstage = "nowhere"\n', r"map.toml:2: the map names nothing"),
        ("", "names nothing"),
        ("[relation]\n", "'relation' is no table"),
        ("[columns\n", "not TOML"),
        ('[columns."public.deals"]\nname = "stage"\nstage = "stage"\n', "two columns"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(
    look: Look, tmp_path: Path, said: str, reason: str
) -> None:
    path = tmp_path / "map.toml"
    path.write_text(said)
    with pytest.raises(UsageError, match=reason):
        look(EXTERNAL / "reports", map_path=path)


def test_queries_run_as_the_role_that_is_named(look: Look, tmp_path: Path) -> None:
    path = tmp_path / "rights.sql"
    path.write_text("select count(*) from deals, auth.users")
    assert look(path).verdict == "pass"
    refused = look(path, role="anon")
    assert [(one.id, "42501" in one.message) for one in refused.findings] == [
        ("impact-cannot", True)
    ]
    with pytest.raises(UsageError, match="has no role 'nobody_there'"):
        look(path, role="nobody_there")


def test_what_is_no_artifact_is_told_and_nothing_is_unknown(look: Look, tmp_path: Path) -> None:
    (tmp_path / "client.ts").write_text('supabase.from("deals")\n')
    document = look(tmp_path)
    assert document.verdict == "unknown"
    assert [(f.id, f.where) for f in document.findings] == [
        ("impact-mention", f"{tmp_path}/client.ts:1")
    ]
    (tmp_path / "broken.json").write_text('{"panels": [\n}')
    broken = look(tmp_path)
    assert broken.verdict == "fail"
    assert broken.findings[0].where == f"{tmp_path}/broken.json:2"


def test_nothing_is_written_outside_the_named_paths(look: Look, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside.sql"
    outside.write_text("select count(*) from deals")
    inside.mkdir()
    (inside / "link.sql").symlink_to(outside)
    shutil.copy(outside, inside / "own.sql")
    document = look(inside, write=True)
    assert [Path(one.file).name for one in document.artifacts] == ["own.sql"]
    assert outside.read_text() == "select count(*) from deals"
    assert (inside / "own.sql").read_text() == "select count(*) from opportunities"
    assert sorted(path.name for path in inside.iterdir()) == ["link.sql", "own.sql"]
