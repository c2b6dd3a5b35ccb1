"""JSON files are whole or as they were; what cannot be read says why and in which line."""

import os
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.jsonfile import FlawedJSON, parse_json, read_text, write_json, write_whole


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"
    write_json(path, {"größe": [1, None, "\udc80"]})
    assert parse_json(read_text(path)) == {"größe": [1, None, "\udc80"]}
    assert [one.name for one in path.parent.iterdir()] == ["file.json"]


def test_a_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.json"
    write_json(path, "old", durable=True)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"file\.json: cannot write: No space left"):
        write_json(path, "new", durable=True)
    assert [one.name for one in tmp_path.iterdir()] == ["file.json"]
    assert parse_json(read_text(path)) == "old"


def test_a_link_and_a_device_are_written_to_not_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    write_whole(Path("/dev/null"), "gone")
    assert not Path("/dev/null").is_file()


def test_a_private_file_is_never_open_to_others(tmp_path: Path) -> None:
    write_whole(tmp_path / "secret", "x", permissions=0o600)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "is not JSON: Expecting value"),
        ('{\n"a": 1,\n', 3, "is not JSON: Expecting property name"),
        ('{"a": NaN}', 1, "is not JSON: it holds NaN"),
        ("[-Infinity]", 1, "is not JSON: it holds -Infinity"),
        ('{"b": 1, "a": 1, "a": 2}', 1, "has the key 'a' twice"),
        ("[" * 100_000, 1, "is nested too deeply"),
        ("9" * 5000, 1, "holds a number that is too large"),
    ],
)
def test_text_that_is_not_our_json_says_why(text: str, line: int, reason: str) -> None:
    with pytest.raises(FlawedJSON, match=reason) as caught:
        parse_json(text)
    assert caught.value.line == line


def test_bytes_that_are_not_text_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b'{\n"a": "\xff"}')
    with pytest.raises(FlawedJSON, match="not valid UTF-8") as caught:
        read_text(path)
    assert caught.value.line == 2


def test_a_file_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.core.jsonfile.LARGEST", 1024**2)
    with pytest.raises(FlawedJSON, match=r"is larger than 1\.0 MB"):
        read_text(Path("/dev/zero"))
