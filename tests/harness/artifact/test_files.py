"""Files of every kind are edited in place: what is not understood is told, never lost."""

from __future__ import annotations

import copy
import json
import random
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.artifact.file import MetricLabels, RewrittenArtifact, read_artifact, rewrite_artifact
from harness.artifact.kind.registry import list_kinds
from harness.artifact.promql import relation_pairs, rewrite_promql
from harness.artifact.sql.edits import Edit, apply_edits
from harness.artifact.sql.grafana import UnexpandedText, expand_grafana, mask_grafana
from harness.artifact.text.json_tree import read_json
from harness.artifact.text.spot import splice, splices_of
from harness.artifact.text.tree import TextTree, UnreadTree
from harness.artifact.text.yaml_tree import read_yaml
from harness.core.errors import UsageError
from tests.harness.artifact.maps import STAGES, crm_map

RENAMES = crm_map()
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
"""A loaded machine takes as long as it takes."""
EXTERNAL = Path(__file__).parents[3] / "fixtures" / "external"
JUNK: list[Any] = [None, 0, "", "x", [], {}, [None], [[1]], {"list": None}, {"rules": 3}, True]


def rewritten(path: Path) -> RewrittenArtifact:
    artifact = read_artifact(path)
    assert artifact is not None
    return rewrite_artifact(artifact, RENAMES, MetricLabels({"stage": STAGES}))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("$__timeFilter(t)", "t BETWEEN '1970-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z'"),
        ("$__timeGroup(t, '5m')", "floor(extract(epoch from t)/300)*300"),
        ("$__timeGroup(t,1h), 1", 'floor(extract(epoch from t)/3600)*3600 AS "time", 1'),
        ("$__unixEpochFilter(t)", "t >= 0 AND t <= 4102444800"),
        ("$__timeFilter(coalesce(a, b))",
         "coalesce(a BETWEEN '1970-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z')"),
        ("'$one' [[one]] ${one:raw}", "'it''s' it's it's"),
        ("in ($two)", "in ('a','b')"),
        ("${two:csv} ${two:pipe} ${two:doublequote}", 'a,b a|b "a","b"'),
        ("interval '$__interval'", "interval '1h'"),
    ],
)  # fmt: skip
def test_macros_and_variables_become_what_grafana_sends(text: str, sent: str) -> None:
    assert expand_grafana(text, {"one": ["it's"], "two": ["a", "b"]}) == sent


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$__nobody(a)", "unknown macro '__nobody'"),
        ("$__timeGroup(a)", "interval"),
        ("$__timeFilter()", "missing time column"),
        ("$none", "no value"),
    ],
)
def test_what_grafana_refuses_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnexpandedText, match=reason):
        expand_grafana(text, {})


@pytest.mark.parametrize("text", ["deals_$env", "${env}deals", "$__timeFilter(coalesce(a, b))"])
def test_what_is_glued_or_cut_is_not_masked(text: str) -> None:
    with pytest.raises(UnexpandedText):
        mask_grafana(text)


@UNHURRIED
@given(st.text(), st.sampled_from([None, 2]), st.booleans())
def test_a_json_text_is_edited_at_its_characters_alone(
    value: str, indent: int | None, escaped: bool
) -> None:
    whole = ["a", {"k": value + "deals" + value}]
    text = "\ufeff" + json.dumps(whole, indent=indent, ensure_ascii=escaped)
    if escaped or value.isprintable():
        edited(read_json(text), text, (1, "k"), value, read_json)


@UNHURRIED
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20))
def test_a_yaml_text_is_edited_in_every_spelling(value: str) -> None:
    quoted = value.replace("'", "''")
    for text in (
        f"a: '{quoted}deals{quoted}'\n",
        f"a: {json.dumps(value + 'deals' + value, ensure_ascii=False)}\r\n",
        f"x: 1\na: |\n  {value}deals{value}\n  more # no comment\nb: 2\n",
        "a: >-\n  one\n  two deals\n\n  three\n",
        "a: plain words of\n  deals\n",
    ):
        tree = read_yaml(text)
        edited(tree, text, ("a",), None, read_yaml)


def edited(tree: TextTree, text: str, path: Any, _value: str | None, read: Any) -> None:
    """Edit one word in a value, and see that nothing else changed."""
    spot = tree.spots[path]
    place = len(spot.value[: spot.value.index("deals")].encode())
    made = splice(text, splices_of(spot, [Edit(place, place + 5, b"sales")]))
    assert read(made).spots[path].value == spot.value.replace("deals", "sales", 1)
    assert made.count("sales") - text.count("sales") == 1
    assert len(made) == len(text)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('x{relname="deals"} > 1 # relname="deals"',
         'x{relname="opportunities"} > 1 # relname="deals"'),
        ('x{a="deals", relname=~"deals|dealNotes"}',
         'x{a="deals", relname=~"opportunities|opportunityNotes"}'),
        ('x{stage!="won"} or y{z="won"}', 'x{stage!="closed_won"} or y{z="won"}'),
        ('label_replace(x, "relname", "$1", "table", "deals")', None),
    ],
)  # fmt: skip
def test_values_of_labels_change_in_matchers_alone(text: str, made: str | None) -> None:
    edits, doubts = rewrite_promql(text, relation_pairs(RENAMES), {"stage": STAGES}, {})
    assert doubts == []
    assert apply_edits(text.encode(), set(edits)).decode() == (made or text)


def test_a_pattern_that_holds_an_old_name_is_told() -> None:
    edits, doubts = rewrite_promql('x{relname=~"deals.*"}', relation_pairs(RENAMES), {}, {})
    assert (edits, "by a pattern" in doubts[0].reason) == ([], True)


def test_a_dashboards_names_values_and_copies_follow_its_queries() -> None:
    made = json.loads(rewritten(EXTERNAL / "grafana" / "sales.json").text)
    notes, pie = made["panels"][2]["panels"]
    assert notes["fieldConfig"]["overrides"][0]["matcher"]["options"] == "opportunity_id"
    assert list(notes["transformations"][0]["options"]["renameByName"]) == [
        "opportunity_id",
        "text",
    ]
    assert pie["targets"][0]["table"] == "public.opportunities"
    assert pie["targets"][0]["sql"]["whereString"] == "stage NOT IN ('closed_won', 'closed_lost')"
    assert made["templating"]["list"][0]["query"].startswith("closed_won,closed_lost")


@pytest.mark.parametrize("seed", range(10))
def test_a_dashboard_of_any_shape_is_read_or_told(tmp_path: Path, seed: int) -> None:
    source = ("sales.json", "pipeline.json")[seed % 2]
    value = json.loads((EXTERNAL / "grafana" / source).read_text())
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    for _ in range(6):
        spoil(value, chance)
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps(value))
    artifact = read_artifact(path)
    if artifact is not None:
        json.loads(rewrite_artifact(artifact, RENAMES, MetricLabels()).text)


def spoil(value: Any, chance: random.Random) -> None:
    """Put junk in the place of some part, at any depth."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(value[key], dict | list) and chance.random() < 0.8:
            value = value[key]
            continue
        value[key] = copy.deepcopy(chance.choice(JUNK))
        return


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.json", b'{"panels": [\n', 2),
        ("a.json", b"\xff", 1),
        ("a.json", b"[" * 100_000, 1),
        ("a.yaml", b"a: 1\nb: [\n", 3),
        ("a.yml", b"a: &a [*a]\n", 1),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_told_with_its_line(
    tmp_path: Path, name: str, content: bytes, line: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadTree) as caught:
        read_artifact(path)
    assert caught.value.line == line


@pytest.mark.parametrize("name", ["pages", "grafana"])
def test_a_kind_of_another_package_comes_first_unless_its_name_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    point = EntryPoint(name, f"tests.harness.artifact.maps:{name.upper()}", "harness.artifacts")
    monkeypatch.setattr("harness.core.plugins.entry_points", lambda **_: [point])
    if name == "pages":
        assert next(iter(list_kinds.__wrapped__())).name == "pages"
    else:
        with pytest.raises(UsageError, match="already"):
            list_kinds.__wrapped__()
