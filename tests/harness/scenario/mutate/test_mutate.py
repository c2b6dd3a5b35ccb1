"""A run of mutants says which judge saw each; a judge that looks away fails; a signal ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.mutate import mutate
from harness.core.errors import Refused, UsageError
from harness.core.poll import wait_until
from harness.database import limits
from harness.scenario.mutate import judging, mutants
from harness.scenario.mutate.model import MutantResult
from harness.scenario.mutate.run import document, run, words
from tests.harness.support.ended import pid_has_ended
from tests.harness.support.mutate_judges import sees_nothing
from tests.harness.support.mutate_plan import JUDGES, settings
from tests.harness.support.pace import control
from tests.harness.support.runner import SmallPlan


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A place for temporary files whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="mu") as name:
        Path(name).chmod(0o777)  # the server's user writes there too
        yield Path(name)


def test_a_judge_that_looks_sees_the_mutants_and_the_survivors_are_shown(small: SmallPlan) -> None:
    answer = run(settings(small, "sees_rows", only="1.1/010_column.forward"))
    assert answer.killed > 5
    shown = "\n".join(words(answer))
    assert "PRIMARY KEY" in shown  # nobody looks at it in this judge
    for one in answer.survivors:
        assert one.diff.startswith("--- 1.1/010_column.")
    assert answer.score == round(100 * answer.killed / answer.mutants, 2)


def test_a_judge_that_looks_away_fails(small: SmallPlan) -> None:
    answer = run(settings(small, "sees_nothing", sample=2))
    assert (answer.verdict, answer.score) == ("fail", 0)


def test_a_judge_that_refuses_everything_proves_nothing(small: SmallPlan) -> None:
    with pytest.raises(Refused, match="small is not liked"):
        run(settings(small, "refuses_all"))


def test_a_judge_that_breaks_leaves_the_mutant_unknown(small: SmallPlan) -> None:
    answer = run(settings(small, "breaks", sample=1))
    assert answer.verdict == "fail"
    assert "KeyError" in answer.unknowns[0].reason


def test_the_same_seed_draws_the_same_mutants(small: SmallPlan) -> None:
    def drawn(seed: int) -> list[str]:
        answer = run(settings(small, "sees_nothing", sample=3, seed=seed))
        return sorted(one.id for one in answer.survivors)

    assert drawn(5) == drawn(5)


def test_a_plan_that_is_refused_is_seen(small: SmallPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_bounds", {})  # a judge bounds its process's sessions: here ours
    monkeypatch.setenv("PGOPTIONS", "")
    plan = small.load()
    mutant = next(
        m for m in mutants.of_plan(plan) if m.operator == "drop-where" and "020" in m.step
    )
    result = judging.judged(sees_nothing, "", plan, mutant)
    assert (result.outcome, result.by) == ("killed", "plan")
    assert "%(after)s" in result.reason


def test_score_counts_what_is_not_equivalent(small: SmallPlan) -> None:
    plan = small.load()
    some = mutants.of_plan(plan)[:4]
    outcomes: Iterator[str] = iter(("killed", "killed", "killed", "equivalent"))
    results = [MutantResult(m, outcome) for m, outcome in zip(some, outcomes, strict=True)]  # type: ignore[arg-type]
    answer = document(results, settings(small, "sees_rows"), plan, some, 1.0)
    assert (answer.score, answer.verdict) == (100, "pass")


# The command.


def test_command_prints_one_document_and_fails_below_the_score(small: SmallPlan) -> None:
    plan = str(small.root / "plan.toml")
    arguments = ["--plan", plan, "--json", "--sample", "1", "--workers", "1"]
    done = CliRunner().invoke(mutate, [*arguments, "--judge", f"{JUDGES}:sees_nothing"])
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert {"score", "mutants", "survivors", "seconds"} <= answer.keys()


def test_workers_of_a_killed_command_end_with_it(small: SmallPlan, tmp_path: Path) -> None:
    judged_by = tmp_path / "judged_by"
    command = [sys.executable, "-m", "harness", "mutate", "--plan", str(small.root / "plan.toml")]
    environment = os.environ | {
        "JUDGED_BY": str(judged_by),
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }
    with subprocess.Popen(
        [*command, "--judge", f"{JUDGES}:tells_who_judges"], env=environment
    ) as running:
        wait_until(lambda: judged_by.exists() and judged_by.read_text(), 120, "a worker at work")
        running.kill()
        assert running.wait() == -signal.SIGKILL
    wait_until(
        lambda: all(map(pid_has_ended, map(int, judged_by.read_text().split()))),
        60,
        "the end of its workers",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_at_once_and_leaves_nothing(
    number: signal.Signals, small: SmallPlan, tmp_path: Path, short_tmp: Path
) -> None:
    judged_by = tmp_path / "judged_by"
    command = [sys.executable, "-m", "harness", "mutate", "--plan", str(small.root / "plan.toml")]
    environment = os.environ | {
        "JUDGED_BY": str(judged_by),
        "PYTHONPATH": str(Path(__file__).parents[4]),
        "TMPDIR": str(short_tmp),
    }
    with subprocess.Popen(
        [*command, "--judge", f"{JUDGES}:does_not_end", "--workers", "2"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        # one process says first that the plan is sound; two wait for what does not end
        wait_until(
            lambda: judged_by.exists() and len(set(judged_by.read_text().split())) == 3,
            120,
            "the workers at work",
        )
        assert list(short_tmp.iterdir())
        with control() as machine:
            began = time.monotonic()
            running.send_signal(number)
            _, said = running.communicate(timeout=60)
            took = time.monotonic() - began
    assert running.returncode == 5
    assert f"stopped by {number.name}" in said
    assert "Traceback" not in said
    assert took < 3 * machine.slowdown
    assert list(short_tmp.iterdir()) == []
    assert not [path for path in Path("/proc").glob("[0-9]*") if _asked(path, str(judged_by))]


def _asked(process: Path, word: str) -> bool:
    """Whether a process was started with the word in its environment."""
    try:
        return word in (process / "environ").read_bytes().decode("utf-8", "replace")
    except OSError:
        return False


def test_command_without_a_judge_says_so(small: SmallPlan) -> None:
    plan = str(small.root / "plan.toml")
    done = CliRunner().invoke(mutate, ["--plan", plan, "--judge", "nowhere:judge"])
    assert isinstance(done.exception, UsageError)
    assert "nowhere:judge" in str(done.exception)
