"""The gate as others have it: GO for a plan of two steps, NO-GO when one of them is bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness.support.installed import Installed, write_shop

STEP = "sql/phases/1.1_notes/010_column.forward.sql"
BAD = "ALTER TABLE public.orders ADD COLUMN note text NOT NULL;\n"


@pytest.mark.parametrize(("step", "verdict"), [(None, "GO"), (BAD, "NO-GO")])
def test_a_first_plan_is_judged(
    installed: Installed, tmp_path: Path, step: str | None, verdict: str
) -> None:
    write_shop(installed, tmp_path)
    if step is not None:
        (tmp_path / STEP).write_text(step)
    options = ("--server", "embedded", "--rows", "50", "--json")
    done = installed.harness("gate", *options, cwd=tmp_path)
    document = json.loads(done.stdout)
    assert document["verdict"] == verdict, document["findings"]
    assert done.returncode == (0 if verdict == "GO" else 1)
    assert json.loads((tmp_path / "build" / "verdict.json").read_text())["verdict"] == verdict
    assert (tmp_path / "build" / "report" / "index.html").is_file()
    if step is not None:
        assert any("010_column" in str(one) for one in document["findings"])
