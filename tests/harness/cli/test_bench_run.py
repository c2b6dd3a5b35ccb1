"""`harness bench run`: one document of times and costs, and a name that is none is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.harness.support.people import make_people


def run(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "harness", "bench", "run", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=cwd
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_name_that_is_none_is_refused_at_once(tmp_path: Path) -> None:
    status, out, err = run("--only", "sed", cwd=make_people(tmp_path))
    assert (status, out) == (2, "")
    assert "no benchmark is named 'sed'; there are seed, migrate" in err


def test_the_answer_is_one_document_with_times_and_counts(tmp_path: Path) -> None:
    root = make_people(tmp_path)
    (root / "sql" / "contract" / "read").mkdir(parents=True)
    query = "-- about: x\nselect name from shop.person order by id limit 5"
    (root / "sql" / "contract" / "read" / "names.sql").write_text(query)
    wanted = ("seed", "migrate", "rollback", "fingerprint", "clone", "resume", "backfill", "names")
    only = [word for name in wanted for word in ("--only", name)]
    status, out, err = run("--rows", "30", "--server", "embedded", "--json", *only, cwd=root)
    document = json.loads(out)
    assert (status, document["verdict"]) == (0, "pass"), err
    named = {one["name"]: one for one in document["benchmarks"]}
    assert set(named) == set(wanted)
    assert "at once" in named["backfill"]["against"]
    assert named["backfill"]["ratio"] > 0
    assert named["resume"]["before"]["rounds"] == named["resume"]["seconds"]["rounds"] == 3
    assert named["names"]["cost"]["rows"] == 5
    assert named["names"]["ratio"] > 0
    assert named["names"]["seconds"]["rounds"] == 9
    assert document["exponents"] == []  # one size says nothing of growth
