"""window.toml: what it says, and what is wrong in one, with its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.people.window_file import find_window, read_window

WINDOW = """\
format = 1
id = "harvest-2031"
revision = 3
title = "Accounts get a new home"
zone = "Europe/Zurich"
start = 2031-03-15T22:00:00
end = 2031-03-15T23:30:00
support = "help@example.com"
audience = "recipients.csv"
page_url = "https://status.example.com/harvest"

[[change]]
id = "names"
title = "Accounts are called customers"

[[change]]
id = "links"
title = "Old links go on working"
link = "https://example.com/links"

[[checklist]]
id = "front-desk"
text = "The front desk has been told"

[[checklist]]
id = "verified"
text = "Every check of the new tables passed"
by = "verify"
"""


def write(directory: Path, text: str) -> Path:
    file = directory / "window.toml"
    file.write_text(text)
    return file


def test_a_window_says_when_for_whom_and_what_changes(tmp_path: Path) -> None:
    window = read_window(write(tmp_path, WINDOW))
    assert window.start_utc == datetime(2031, 3, 15, 21, tzinfo=UTC)
    assert window.length == timedelta(minutes=90)
    assert (window.revision, window.sequence, window.cancelled) == (3, 2, False)
    assert window.audience == tmp_path / "recipients.csv"
    assert [one.id for one in window.changes] == ["names", "links"]
    assert [one.by for one in window.checklist] == ["people", "verify"]


def test_a_window_over_the_hour_that_comes_twice_is_as_long_as_it_takes(tmp_path: Path) -> None:
    text = WINDOW.replace("2031-03-15T22:00:00", "2031-10-26T02:30:00+02:00")
    text = text.replace("2031-03-15T23:30:00", "2031-10-26T02:30:00+01:00")
    assert read_window(write(tmp_path, text)).length == timedelta(hours=1)


def test_the_window_of_a_plan_stands_beside_it(tmp_path: Path) -> None:
    assert find_window(tmp_path / "plan.toml") is None
    file = write(tmp_path, WINDOW)
    assert find_window(tmp_path / "plan.toml") == find_window(tmp_path) == file


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("format = 1", "", 1, "format is missing"),
        ("format = 1", "format = true", 1, "format is True"),
        ("revision = 3", "revision = 0", 3, "whole number of at least 1"),
        ("revision = 3", "revison = 3", 3, "did you mean 'revision'"),
        ('title = "Accounts get', 'title = "A\\nget', 4, "one line"),
        ('title = "Accounts get', 'title = "A\\u001b[31m', 4, "control character"),
        ("Europe/Zurich", "Europe/Zorich", 5, "'Europe/Zorich' is not a time zone"),
        ("Europe/Zurich", "Europe", 5, "not a time zone"),
        ("Europe/Zurich", "../../etc/passwd", 5, "not a time zone"),
        ("Europe/Zurich", "right/Europe/Zurich", 5, "not a time zone"),
        ("2031-03-15T22:00:00", '"2031-03-15T22:00:00"', 6, "unquoted"),
        ("2031-03-15T22:00:00", "2031-03-15", 6, "unquoted"),
        ("2031-03-15T22:00:00", "2031-03-15T22:00:00.5", 6, "whole seconds"),
        ("start = 2031-03-15T22:00:00\n", "", 1, "start is missing"),
        ("2031-03-15T23:30:00", "2031-03-15T21:59:00", 7, "ends before it starts"),
        ("2031-03-15T23:30:00", "2031-03-15T22:00:00", 7, "ends before it starts"),
        ("2031-03-15T23:30:00", "2031-03-30T02:30:00", 7, "does not exist in Europe/Zurich"),
        ("2031-03-15T23:30:00", "2031-10-26T02:30:00", 7, "+02:00 or +01:00"),
        ("2031-03-15T23:30:00", "2031-10-26T02:30:00+05:00", 7, "does not have then"),
        ("2031-03-15T23:30:00", "9999-12-31T23:59:59-23:00", 7, "out of the range"),
        ("https://status", "javascript://status", 10, "an address such as"),
        ('id = "links"', 'id = "names"', 17, "'names' stands twice"),
        ('id = "links"', 'id = "a b"', 17, "cannot be an id"),
        ('id = "links"\n', "", 16, "[change] needs a text 'id'"),
        ('by = "verify"', 'by = "nobody"', 28, "'people' or 'verify'"),
        ('by = "verify"', 'bye = "verify"', 28, "unknown key 'bye' in [checklist]"),
        ("[[checklist]]", "[checklist]", 25, "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    assert old in WINDOW
    with pytest.raises(UsageError) as caught:
        read_window(write(tmp_path, WINDOW.replace(old, new, 1)))
    assert said in str(caught.value)
    assert f"window.toml:{line}: " in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "window.toml"
    file.write_bytes(b'format = 1\nid = "\xff"\n')
    with pytest.raises(UsageError, match=r"window\.toml:2: is not valid UTF-8"):
        read_window(file)
