"""`harness crash`: it explores a sample, replays a point, and refuses what it cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import InfrastructureError
from harness.crash import explore
from tests.harness.support.runner import SmallPlan


def crash(*arguments: str, plan: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "harness", "crash", "--plan", str(plan), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = SmallPlan(tmp_path_factory.mktemp("plan"))
    files.replace("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(1, 250)")
    return files.load().path


def test_the_command_explores_a_sample_and_replays_a_point(small: Path, tmp_path: Path) -> None:
    options = ["--rows", "0", "--domain", "wire", "--build", str(tmp_path), "--json"]
    status, out, err = crash(*options, "--points", "12", plan=small)
    assert status == 0, out + err
    document = json.loads(out)
    wanted = {"verdict", "points", "fired", "states", "failures", "seconds"}
    assert wanted <= document.keys()
    assert (document["verdict"], document["points"], document["fired"]) == ("pass", 12, 12)
    assert (tmp_path / "report" / "crash.html").exists()
    assert json.loads((tmp_path / "crash.json").read_text())["rows"]
    name = document["rows"][0]["id"]
    status, out, err = crash(*options, "--replay", name, plan=small)
    assert status == 0, out + err
    assert [row["id"] for row in json.loads(out)["rows"]] == [name]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dsn", "postgresql://u:secret@h/d"], "an existing server is not explored"),
        (["--server", "existing"], "an existing server is not explored"),
        (["--domain", "moon"], "no domain 'moon'"),
        (["--points", "some"], "--points takes all or a whole number"),
        (["--replay", "nonsense"], "is not a crash point"),
        (["--shard", "4/3"], "'4/3' is out of range"),
        (["--costs", "nowhere.json"], "cannot be read"),
    ],
)
def test_bad_arguments_are_refused_at_once(small: Path, arguments: list[str], said: str) -> None:
    status, _, err = crash(*arguments, plan=small)
    assert status == 2
    assert said in err
    assert "secret" not in err


def test_a_plan_that_does_not_run_is_said_before_anything_is_struck(
    tmp_path: Path, small: Path
) -> None:
    plan = SmallPlan(tmp_path)
    plan.replace("phases/1.1_fill/010_column.forward.sql", "public.kinds", "nowhere.kinds")
    status, _, err = crash("--rows", "0", "--domain", "wire", plan=plan.load().path)
    assert status == 1
    assert "010_column.forward.sql" in err


def test_too_little_room_is_said_at_once(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "ROOM", 2**60)
    with pytest.raises(InfrastructureError, match="are free where servers keep their data"):
        explore.run(explore.CrashSettings(small, rows=0))


def test_rows_that_cannot_be_made_are_said_with_the_way_out(tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path)
    never = "CREATE TABLE public.never (id int CHECK (id > 5 AND id < 3) NOT NULL);\n"
    plan.write("baseline/020_never.sql", never)
    path = plan.load().path
    status, _, err = crash("--rows", "10", "--domain", "wire", "--points", "1", plan=path)
    assert status == 1
    assert "the seeded rows do not fit 'small 1'" in err
    assert "public.never" in err
    assert "give --rows 0" in err
