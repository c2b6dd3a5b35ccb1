"""The file of recipients, and who unsubscribed: read strictly, and nobody is named in an error."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from harness.core.errors import UsageError
from harness.people.recipients import mask_address, read_recipients
from harness.people.unsubscribe import UnsubscribeList, token_of
from harness.people.window import MaintenanceWindow
from harness.people.window_file import read_window

from .test_window_file import WINDOW, write

GOOD = "address,name,zone\nann@example.com,Ann,Asia/Tokyo\n\nbo@example.com,,\n"


def window_with(directory: Path, recipients: bytes | None) -> MaintenanceWindow:
    if recipients is not None:
        (directory / "recipients.csv").write_bytes(recipients)
    return read_window(write(directory, WINDOW))


def test_recipients_have_a_zone_each(tmp_path: Path) -> None:
    ann, bo = read_recipients(window_with(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()))
    assert (ann.name, ann.zone) == ("Ann", ZoneInfo("Asia/Tokyo"))
    assert (bo.address, bo.zone) == ("bo@example.com", ZoneInfo("Europe/Zurich"))


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (None, "recipients.csv", "cannot be read"),
        (b"", "csv:1", "names the columns"),
        (b"mail\nann@example.com\n", "csv:1", "names the columns"),
        (b"address,address\n", "csv:1", "twice"),
        (b"address\n", "csv:1", "names nobody"),
        (b"address\nann@example.com,Ann\n", "csv:2", "2 fields, not 1"),
        (b"address\nann@example.com\nANN@example.com\n", "csv:3", "line 2 stands again"),
        (b"address\nann\n", "csv:2", "not one"),
        (b"address\nann@example.com>\n", "csv:2", "not one"),
        (b'address\n"ann@example.com\r\nBcc: all@example.com"\n', "csv:3", "not one"),
        (b"address,zone\nann@example.com,Mars\n", "csv:2", "not a time zone"),
        (b"address,name\nann@example.com,A\x1b[1m\n", "csv:2", "control character"),
        (b'address\n"ann@example.com', "csv:2", "not CSV"),
        (b"address\n\xff@example.com\n", "csv:2", "not valid UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_without_the_address(
    tmp_path: Path, text: bytes | None, place: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_recipients(window_with(tmp_path, text))
    assert said in str(caught.value)
    assert place in str(caught.value)
    assert "example.com" not in str(caught.value).replace(str(tmp_path), "")


def test_an_address_is_printed_without_its_name() -> None:
    assert mask_address("ann@example.com") == "a***@example.com"
    assert mask_address("a@example.com") == "***@example.com"


def test_a_token_that_came_back_is_kept_and_any_other_leaves_nothing(tmp_path: Path) -> None:
    ann, bo = (token_of(b"secret", name) for name in ("Ann@example.com", "bo@example.com"))
    assert ann == token_of(b"secret", "ann@example.com") != token_of(b"other", "ann@example.com")
    store = UnsubscribeList(tmp_path / "unsubscribe")
    assert not store.unsubscribe(ann)
    store.hand_out([ann])
    store.hand_out([bo])
    assert store.knows(ann)
    assert not store.unsubscribe("../../etc/passwd")
    assert [store.unsubscribe(ann) for _ in range(2)] == [True, True]
    assert store.is_unsubscribed(ann)
    assert not store.is_unsubscribed(bo)
    kept = "".join(file.name + file.read_text() for file in store.directory.iterdir())
    assert ann not in kept
    assert "example.com" not in kept
