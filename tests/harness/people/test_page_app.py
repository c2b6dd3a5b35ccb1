"""The page over HTTP: it answers whatever happens to the database, and ticks only what it may."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.core.errors import UsageError
from harness.people.page.app import maintenance_app, page_app
from harness.people.page.publisher import Publisher
from harness.people.page.reading import LedgerReading
from harness.people.page.serving import address_of, listen, served
from harness.people.page.tokens import parse_tokens, read_tokens
from harness.people.unsubscribe import UnsubscribeList
from tests.harness.support.page import START, run_of
from tests.harness.support.runner import SmallPlan

WINDOW = """format = 1
id = "harvest"
title = "Accounts <b>get</b> a new home"
zone = "Europe/Zurich"
start = 2031-03-15T22:00:00
end = 2031-03-15T23:30:00
support = "support@example.com"

[[change]]
id = "names"
title = "Accounts are called customers"

[[checklist]]
id = "desk"
text = "The front desk has been told"

[[checklist]]
id = "rows"
text = "Every row has been compared"
by = "verify"
"""
TOKEN = "3f9c0a7d5e1b4c8890aa"
TOKENS = parse_tokens(f"Front desk {TOKEN}\nBen {TOKEN[::-1]}\n", "tokens")
MINUTE = timedelta(minutes=1)


@dataclass
class Site:
    """A page that is served, with its clock and its reading in the test's hands."""

    directory: Path
    client: httpx.Client
    address: str
    instead: str
    now: datetime = START + 10 * MINUTE
    reading: LedgerReading | None = None
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.directory / "window.toml").write_text(WINDOW)
        self.plan = SmallPlan(self.directory / "plan").load()
        self.see(0.5)
        self.publisher = self.open_publisher()
        self.unsubscribed = UnsubscribeList(self.directory / "unsubscribe")

    def open_publisher(self) -> Publisher:
        return Publisher(
            self.directory / "window.toml", self.directory / "state", self.plan,
            lambda: self.reading, self.told.append, lambda: self.now, ticking=True,
        )  # fmt: skip

    def see(self, *shares: float) -> None:
        """The reader sees the run as far as this, now."""
        self.reading = LedgerReading(self.now, at_work=True, run=run_of(*shares))

    def pass_time(self, time: timedelta) -> None:
        self.now += time


class Port:
    """An application that may be exchanged: one server is enough for all tests."""

    def __init__(self) -> None:
        self.app: Any = None
        self.listening = listen("127.0.0.1", 0)
        self.address = address_of(self.listening)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[Port, Port]]:
    page, instead = Port(), Port()
    with served([(page, page.listening), (instead, instead.listening)]):
        yield page, instead


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(verify=False) as made:  # noqa: S501 - nothing here is encrypted
        yield made


@pytest.fixture
def site(tmp_path: Path, ports: tuple[Port, Port], client: httpx.Client) -> Site:
    page, instead = ports
    client.cookies.clear()
    made = Site(tmp_path, client, page.address, instead.address)
    page.app = page_app(
        made.publisher, tokens=TOKENS, unsubscribed=made.unsubscribed, tell=made.told.append
    )
    instead.app = maintenance_app(made.publisher)
    return made


def feed(site: Site) -> dict[str, Any]:
    document = site.client.get(f"{site.address}api/v2/summary.json").json()
    return dict(document["migration"])


def test_what_is_published_is_of_the_moment_and_names_no_other_site(site: Site) -> None:
    page = site.client.get(site.address)
    assert page.status_code == 200
    assert "Accounts &lt;b&gt;get&lt;/b&gt; a new home" in page.text
    assert page.headers["date"] == "Sat, 15 Mar 2031 21:10:00 GMT"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert re.findall(r'(?:src|href|action)="(https?:|//)', page.text) == []
    assert feed(site)["percent"] == 16
    site.pass_time(MINUTE)
    site.see(1.0, 0.5)
    assert feed(site)["percent"] == 50
    assert "50%" in site.client.get(site.address).text


@pytest.mark.parametrize("path", ["", "api/v2/summary.json", "calendar.ics", "banner.js"])
def test_the_public_side_knows_get_and_head_alone(site: Site, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = site.client.request(method, site.address + path)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
    head, got = site.client.head(site.address + path), site.client.get(site.address + path)
    assert head.status_code == got.status_code == 200
    assert head.headers["content-length"] == got.headers["content-length"]


def test_a_reader_that_has_the_feed_is_told_so_and_nothing_more(site: Site) -> None:
    first = site.client.get(f"{site.address}api/v2/summary.json")
    assert first.headers["access-control-allow-origin"] == "*"
    asked = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    again = site.client.get(f"{site.address}api/v2/summary.json", headers=asked)
    assert (again.status_code, again.content) == (304, b"")
    site.pass_time(MINUTE)
    site.see(1.0)
    assert site.client.get(f"{site.address}api/v2/summary.json", headers=asked).status_code == 200


def test_while_the_database_is_away_every_request_is_answered_and_the_age_is_said(
    site: Site,
) -> None:
    assert "The work was seen a moment ago." in site.client.get(site.address).text
    site.pass_time(7 * MINUTE)  # and the reader sees nothing
    page = site.client.get(site.address)
    assert page.status_code == 200
    assert "The work was last seen 7 min ago." in page.text
    assert feed(site)["stale"]
    assert feed(site)["percent"] == 16


def test_a_page_that_is_started_again_goes_on_from_what_was_seen(site: Site) -> None:
    feed(site)
    site.reading = None
    site.pass_time(3 * MINUTE)
    state = site.open_publisher().state()
    assert (state.name, state.percent, state.age) == ("running", 16, 3 * MINUTE)


def test_a_window_that_is_spoilt_meanwhile_takes_nothing_away(site: Site) -> None:
    (site.directory / "window.toml").write_text(WINDOW.replace("2031-03-15T23:30:00", '"late"'))
    site.pass_time(MINUTE)
    site.see(0.9)
    assert feed(site)["percent"] == 30
    assert site.told[0].startswith("the window cannot be read, and stays as it was: ")
    (site.directory / "window.toml").write_text(WINDOW + "# moved\n" + "")
    moved = WINDOW.replace("T22:00:00", "T22:30:00").replace("id = ", "revision = 2\nid = ", 1)
    (site.directory / "window.toml").write_text(moved)
    site.pass_time(MINUTE)
    assert (feed(site)["revision"], feed(site)["starts"]) == (2, "2031-03-15T21:30:00.000+00:00")


@pytest.mark.parametrize("path", ["", "deals/7?x=1", "api/v2/summary.json"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_in_place_of_the_application_everything_is_503(site: Site, path: str, method: str) -> None:
    answer = site.client.request(method, site.instead + path, content=b"x")
    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["retry-after"] == "3000"  # 50 minutes at the pace so far
    assert "Maintenance is under way" in answer.text


def form(site: Site) -> str:
    """Open the form as a browser does, and return the value that it holds."""
    found = re.search(
        r'name="csrf" value="(\w+)"', site.client.get(f"{site.address}checklist").text
    )
    assert found is not None
    return found[1]


def test_an_item_is_ticked_with_a_token_and_who_and_when_are_kept(site: Site) -> None:
    fields = {"csrf": form(site), "item": "desk", "token": TOKEN}
    own = {"Origin": site.address.removesuffix("/")}
    done = site.client.post(f"{site.address}checklist", data=fields, headers=own)
    assert done.status_code == 303
    shown = site.client.get(f"{site.address}{done.headers['location']}").text
    assert "Ticked: The front desk has been told" in shown
    page = site.client.get(site.address).text
    assert "Done by Front desk, Saturday 15 March 2031, 22:10 CET" in page
    (tick,) = site.publisher.store.ticks().values()
    assert (tick.by, tick.at) == ("Front desk", site.now)
    assert TOKEN not in site.publisher.store.file.read_text()


@pytest.mark.parametrize(
    ("change", "headers", "status", "said"),
    [
        ({"token": "0" * 20}, {}, 403, "nobody&#39;s"),
        ({"token": ""}, {}, 403, "nobody&#39;s"),
        ({"csrf": "0" * 64}, {}, 403, "The form is too old"),
        ({"csrf": ""}, {}, 403, "The form is too old"),
        ({}, {"Origin": "https://evil.example"}, 403, "another site"),
        ({}, {"Origin": "null"}, 403, "another site"),
        ({}, {"Sec-Fetch-Site": "cross-site"}, 403, "another site"),
        ({}, {"Cookie": "harness-form=another"}, 403, "The form is too old"),
        ({}, {"Content-Type": "text/plain"}, 415, "A form is expected"),
        ({"item": "rows"}, {}, 409, "ticked by `harness verify` alone"),
        ({"item": "nix"}, {}, 409, "no item &#39;nix&#39;"),
        ({"item": "x" * 9000}, {}, 413, "too large"),
    ],
)
def test_a_tick_is_refused_with_a_reason_and_leaves_nothing(
    site: Site, change: dict[str, str], headers: dict[str, str], status: int, said: str
) -> None:
    fields = {"csrf": form(site), "item": "desk", "token": TOKEN} | change
    refused = site.client.post(f"{site.address}checklist", data=fields, headers=headers)
    assert (refused.status_code, said in refused.text) == (status, True), refused.text
    assert site.publisher.store.ticks() == {}


def test_while_the_database_is_away_a_tick_is_refused_with_a_reason(site: Site) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    site.pass_time(MINUTE)
    refused = site.client.post(f"{site.address}checklist", data={"item": "desk"}, headers=bearer)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "nothing was ticked" in refused.json()["error"]
    assert site.publisher.store.ticks() == {}
    site.see(0.6)
    done = site.client.post(f"{site.address}checklist", data={"item": "desk"}, headers=bearer)
    assert done.json() == {"item": "desk", "by": "Front desk", "at": site.now.isoformat()}


def test_ticks_at_the_same_time_are_one_tick_and_each_is_told_whose(site: Site) -> None:
    answers: list[dict[str, str]] = []

    def tick(token: str) -> None:
        bearer = {"Authorization": f"Bearer {token}"}
        found = site.client.post(f"{site.address}checklist", data={"item": "desk"}, headers=bearer)
        answers.append(found.json())

    threads = [threading.Thread(target=tick, args=[t]) for t in (TOKEN, TOKEN[::-1]) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len({json.dumps(one) for one in answers}) == 1
    assert len(site.publisher.store.file.read_text().splitlines()) == 1


def test_a_link_to_unsubscribe_changes_nothing_until_it_is_posted(site: Site) -> None:
    site.unsubscribed.hand_out(["a" * 32])
    link = f"{site.address}unsubscribe/{'a' * 32}"
    assert all(
        site.client.get(link).status_code == site.client.head(link).status_code == 200
        for _ in range(5)
    )
    assert not site.unsubscribed.is_unsubscribed("a" * 32)
    for _ in range(2):
        assert site.client.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert site.unsubscribed.is_unsubscribed("a" * 32)
    assert site.client.post(link[:-1]).status_code == 404


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Ana short", "shorter than 20"),
        (f"{TOKEN}", "not a name and a token"),
        (f"Ana {TOKEN}\nAna {TOKEN[::-1]}", "2: the name or the token stands twice"),
        ("# nobody\n", "holds no token"),
    ],
)
def test_tokens_that_are_none_are_refused_by_their_line(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        parse_tokens(text, "tokens")
    assert TOKEN not in str(refused.value)


def test_tokens_that_others_may_read_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"Ana {TOKEN}\n")
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        read_tokens(file)
    file.chmod(0o600)
    assert read_tokens(file).holder(TOKEN) == "Ana"
    assert TOKEN not in repr(read_tokens(file))
