"""What cannot be written is said before the work, in one sentence; what is there stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.core.errors import UsageError
from harness.core.writable import refuse_unwritable

NOWHERE = ("--dsn", "host=127.0.0.1 port=1 dbname=none")


@pytest.mark.parametrize(
    "command",
    [
        ("fingerprint", *NOWHERE, "--save"),
        ("dry-run", *NOWHERE, "--save"),
        ("crash", "--points", "1", "--build"),
        ("gate", "--build"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_names_what_it_could_not_write_before_it_begins(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("kept")
    done = CliRunner().invoke(cli, [*command, str(tmp_path / "file" / "below")])
    assert isinstance(done.exception, UsageError)
    assert "cannot write: Not a directory" in str(done.exception)
    assert (tmp_path / "file").read_text() == "kept"


def test_what_can_be_written_stays_as_it_is(tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("kept")
    refuse_unwritable(there)
    refuse_unwritable(tmp_path / "new" / "file.json")
    assert there.read_text() == "kept"
    assert [path.name for path in tmp_path.rglob("*.json")] == ["there.json"]
    with pytest.raises(UsageError, match="it is a directory; name another file"):
        refuse_unwritable(tmp_path / "new")
