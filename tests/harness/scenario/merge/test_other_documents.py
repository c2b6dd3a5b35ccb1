"""Verdicts, mutants and runs under traffic: counts add up, and a gap in them is NO-GO."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.document.base import from_builtins, to_builtins
from harness.document.live import (
    HistoryDocument,
    LatenciesDocument,
    LatencyDocument,
    LiveDocument,
    LivePlanDocument,
    RateDocument,
)
from harness.document.mutate import JudgedMutant, MutateDocument, ShownMutant
from harness.document.shard import ShardDocument
from harness.document.verdict import VerdictDocument
from harness.scenario.merge import merge_files
from harness.traffic.latency import merge_histograms, record_latencies
from tests.harness.document.test_documents import stored


def written(place: Path, *documents: Any) -> list[Path]:
    paths = [place / f"{number}.json" for number in range(1, len(documents) + 1)]
    for path, document in zip(paths, documents, strict=True):
        path.write_text(json.dumps(to_builtins(document)))
    return paths


def verdict_shards(of: int) -> list[VerdictDocument]:
    whole = from_builtins(stored("verdict"), VerdictDocument)
    names = [suite.name for suite in whole.suites]
    return [
        msgspec.structs.replace(
            whole,
            suites=whole.suites[part::of],
            evidence=whole.evidence[part::of],
            shard=ShardDocument(index=part + 1, of=of, whole=names),
        )
        for part in range(of)
    ]


def test_shards_of_a_gate_are_its_verdict(tmp_path: Path) -> None:
    whole = from_builtins(stored("verdict"), VerdictDocument)
    merged = merge_files(written(tmp_path, *verdict_shards(3)))
    assert (merged.verdict, merged.reasons) == ("GO", [])
    (gate,) = merged.gates
    assert list(gate.suites) == list(whole.suites)
    assert {one.name for one in gate.evidence} == {one.name for one in whole.evidence}
    assert not gate.shard


def test_a_suite_that_no_shard_ran_is_no_go(tmp_path: Path) -> None:
    one, other = verdict_shards(2)
    short = msgspec.structs.replace(other, suites=other.suites[1:])
    merged = merge_files(written(tmp_path, one, short))
    assert merged.verdict == "NO-GO"
    assert f"{other.suites[0].name}: unknown, no test of it ran" in merged.gates[0].reasons


def test_a_lost_shard_of_a_gate_is_no_go(tmp_path: Path) -> None:
    merged = merge_files(written(tmp_path, *verdict_shards(3)[:2]))
    assert merged.gates[0].verdict == merged.verdict == "NO-GO"
    assert "shard 3/3 is lost" in merged.reasons[0]


def test_cells_of_a_matrix_stand_side_by_side_and_one_no_go_is_enough(tmp_path: Path) -> None:
    good = stored("verdict")
    other = good | {"environment": good["environment"] | {"postgres": 15}}
    paths = written(tmp_path, good, other)
    assert merge_files(paths).verdict == "GO"
    assert merge_files(paths).figures["gates"] == 2
    bad = other | {"verdict": "NO-GO", "reasons": ["the run was cut short"]}
    merged = merge_files(written(tmp_path, good, bad))
    assert merged.verdict == "NO-GO"
    assert "PostgreSQL 15" in merged.reasons[0]
    assert merge_files([*paths, paths[0]]).findings[0].id == "merge.gate.doubled"


def mutants(ids: Sequence[str], outcomes: str, shard: ShardDocument | None) -> MutateDocument:
    words = {"k": "killed", "s": "survived", "e": "equivalent", "u": "unknown"}
    rows = [
        JudgedMutant(id=one, outcome=words[mark], by="verify" if mark == "k" else "", seconds=1.0)  # type: ignore[arg-type]  # one of the words
        for one, mark in zip(ids, outcomes, strict=True)
    ]
    shown = [
        ShownMutant(id=one, where="a.sql:1", operator="swap", reason="", diff="", seconds=1.0)
        for one, mark in zip(ids, outcomes, strict=True)
        if mark == "s"
    ]
    return MutateDocument(
        verdict="pass", score=100.0, least=60.0, mutants=len(rows), of=6,
        killed=outcomes.count("k"), equivalent=outcomes.count("e"), survivors=shown, unknowns=[],
        killed_by={}, seconds=2.0, seconds_per_mutant=1.0, plan_hash="a", harness="0", rows=rows,
        seed=1, postgres=18, tool_hash="t", judge="j:j", sample=None,
        **({"shard": shard} if shard else {}),
    )  # fmt: skip


def test_mutants_are_counted_again(tmp_path: Path) -> None:
    whole = list("abcdef")
    one = mutants(["a", "c", "f"], "kke", ShardDocument(index=1, of=2, whole=whole))
    other = mutants(["b", "d", "e"], "skk", ShardDocument(index=2, of=2, whole=whole))
    merged = merge_files(written(tmp_path, other, one))
    assert merged.verdict == "GO"
    found = merged.mutate
    assert found is not None
    assert [row.id for row in found.rows] == whole
    assert (found.mutants, found.killed, found.equivalent, found.score) == (6, 4, 1, 80.0)
    assert ([s.id for s in found.survivors], found.killed_by) == (["b"], {"verify": 4})


def test_survivors_of_all_shards_may_be_too_many(tmp_path: Path) -> None:
    whole = list("abcd")
    one = mutants(["a", "b"], "ss", ShardDocument(index=1, of=2, whole=whole))
    other = mutants(["c", "d"], "kk", ShardDocument(index=2, of=2, whole=whole))
    merged = merge_files(written(tmp_path, one, other))
    assert merged.reasons == ["mutate: fail, 50.00%, 2 survived"]


def live(index: int, seconds: Sequence[float], acknowledged: int) -> LiveDocument:
    histogram = record_latencies(seconds).encode().decode()
    latency = LatencyDocument(
        n=len(seconds), p50=1, p99=1, longest=1000 * max(seconds), lag_p99=index, rate=10.0,
        histogram=histogram,
    )  # fmt: skip
    return LiveDocument(
        verdict="pass",
        history=HistoryDocument(
            verdict="pass", file=f"{index}.jsonl", elle="", counts={"acknowledged": acknowledged},
            tables=["public.things"],
        ),
        victims=[], latency=LatenciesDocument(verdict="pass", control=latency, forward=latency),
        findings=[], unknowns=[], steps=[], kills=[],
        rate=RateDocument(asked=10, borne=10, tried=[]), role=None, promised=False, rounds=1,
        rows=10, seed=1, max_wait_ms=1, server="Postgres 18 (embedded)", seconds=1.0,
        plan=LivePlanDocument(name="p", version="1", hash="a"),
        shard=ShardDocument(index=index, of=2), postgres=18, tool_hash="t",
    )  # fmt: skip


def test_histories_add_up_and_histograms_are_laid_over_each_other(tmp_path: Path) -> None:
    fast, slow = [0.001] * 90, [0.5] * 110
    merged = merge_files(written(tmp_path, live(1, fast, 7), live(2, slow, 5)))
    assert merged.verdict == "GO"
    assert merged.live is not None
    assert merged.live.history.counts == {"acknowledged": 12}
    forward = merged.live.latency.forward
    assert forward is not None
    assert (forward.n, forward.lag_p99) == (200, 2)
    assert forward.p50 == pytest.approx(500, rel=0.01)
    both = merge_histograms([record_latencies([*fast, *slow]).encode().decode()])
    assert (both.p50, both.p99) == (forward.p50, forward.p99)
