"""The endpoints file: what is wrong in it is told with its line, and a secret is in no message."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.webhook.endpoints import SCHEDULE, read_endpoints
from tests.harness.support.webhooks import KEY, SECRET

ONE = """
[[endpoint]]
name = "billing"
url = "https://hooks.example/token-in-the-path"
vocabulary = "old"
secret_env = "WEBHOOK_SECRET"
"""
TWO = ONE.replace("billing", "search")


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("SHORT_SECRET", "whsec_" + base64.b64encode(b"tiny-and-told").decode())


def test_endpoints_are_read_and_nothing_secret_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "webhooks.toml"
    (tmp_path / "older").write_text(f"{SECRET}\n")
    file.write_text(ONE + 'secret_file = "older"\ntypes = ["paid"]\nowner = "a@b.example"\n' + TWO)
    found = read_endpoints(file)
    first, second = found.endpoints
    assert (first.name, first.keys, first.types) == ("billing", (KEY, KEY), ("paid",))
    assert (second.name, len(found.schedule)) == ("search", len(SCHEDULE))
    for secret in ("token-in-the-path", SECRET, repr(KEY)):
        assert secret not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no [[endpoint]]"),
        ("endpoint = 3", ":1: an endpoint is a table [[endpoint]]"),
        ("[[endpoint]]\nname = 'x", "is not TOML"),
        (ONE + ONE, "there are two endpoints 'billing'"),
        (ONE + TWO.replace("name", "nome"), ":9: unknown key 'nome' in [endpoint]; did you mean"),
        (ONE + TWO.replace('"old"', "7"), ":11: [endpoint] needs a text 'vocabulary'"),
        (ONE.replace('"old"', '"a b"'), ":5: vocabulary is of letters"),
        (ONE.replace("https", "ftp"), ":4: url: this is not a URL such as https://host/path"),
        (ONE.replace("hooks.", "ada:pw@hooks."), ":4: url: a URL holds no user and no password"),
        (ONE.replace("hooks", "hööks"), ":4: url: a URL is of visible ASCII characters"),
        (ONE.replace("hooks.", "127%2e0."), ":4: url: the host is spelled so that"),
        (ONE.replace("example/", "example:x/"), ":4: url: this is not a URL"),
        (ONE.replace("WEBHOOK_SECRET", "NO_SECRET"), ":6: secret_env: the variable 'NO_SECRET' is"),
        (
            ONE.replace("WEBHOOK_SECRET", "SHORT_SECRET"),
            ":6: secret_env: what 'SHORT_SECRET' holds",
        ),
        (ONE.replace("secret_env", "secret_file"), ":6: secret_file: 'WEBHOOK_SECRET' cannot be"),
        (ONE.replace('secret_env = "WEBHOOK_SECRET"', ""), "an endpoint needs a secret"),
        (ONE + 'timeout = "2min"', ":7: timeout is above 0 and at most 60s"),
        (ONE + "[retry]\nschedule = []", ":8: schedule is a list of 1 to 20 times"),
        (ONE + '[retry]\nschedule = ["5"]', ":8: schedule is a time such as"),
        (ONE + "[retries]\nx = 1", ":7: unknown key 'retries'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "webhooks.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_endpoints(file)
    assert said in str(refused.value)
    for secret in ("token-in-the-path", "tiny-and-told", "ada:pw", SECRET.removeprefix("whsec_")):
        assert secret not in str(refused.value)
