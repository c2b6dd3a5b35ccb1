"""The page in a real browser: readable by everybody, right whatever the visitor's clock says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.core.poll import wait_until
from harness.people.page.app import OPEN
from harness.people.page.publication import HTML, Publication, PublishedFile, publish
from harness.people.page.render import render_checklist
from harness.people.page.state import STATES, PageEvidence, StateName, page_state
from tests.harness.support.page import START, evidence_of, in_state
from tests.harness.support.runner import SmallPlan
from tests.harness.support.server import require

HOME = "http://page.test/"
PLANNED = datetime(2031, 3, 1, tzinfo=UTC)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
LARGEST = 60_000
PATIENCE = 180_000  # milliseconds; a machine may be busy
TURNED_BACK = 2 * 3600 * 1000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        require("browser", "no chromium and no google-chrome on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=FLAGS, timeout=PATIENCE)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> dict[StateName, PageEvidence]:
    plan = SmallPlan(tmp_path_factory.mktemp("plan")).load()
    return {name: replace(in_state(name)[0], plan=plan) for name in STATES}


def published(evidence: PageEvidence, now: datetime) -> Publication:
    return publish(page_state(evidence, now), PLANNED, live=True, ticking=True)


class Visitor:
    """A browser's page whose server is the test: it answers with what is published now."""

    def __init__(self, page: Any, publication: Publication) -> None:
        self.page, self.publication = page, publication
        self.asked: list[str] = []
        self.said: list[str] = []
        page.route("**/*", self._answer)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def _answer(self, route: Any) -> None:
        url = route.request.url
        self.asked.append(url)
        name = url.removeprefix(HOME) or "index.html"
        found = self.publication.files.get(name)
        if not url.startswith(HOME) or found is None:
            route.fulfill(status=404, body="")
            return
        said = self.publication.state.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        route.fulfill(body=found.body, headers={"Content-Type": found.kind, "Date": said, **OPEN})

    def open(self) -> Visitor:
        self.page.goto(HOME)
        return self


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    contexts = []

    def open_page(publication: Publication, **more: Any) -> Visitor:
        contexts.append(browser.new_context(**more))
        contexts[-1].set_default_timeout(PATIENCE)
        return Visitor(contexts[-1].new_page(), publication)

    yield open_page
    for context in contexts:
        context.close()


def violations(page: Any) -> list[str]:
    """What axe finds wrong: the rule, and where."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_accessible_in_both_themes_and_fits_any_width(
    name: StateName, evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    visitor = visit(published(evidence[name], in_state(name)[1])).open()
    page = visitor.page
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert violations(page) == [], (theme, width)
    assert visitor.said == []
    assert {url.startswith(HOME) for url in visitor.asked} == {True}
    assert len(visitor.publication.files["index.html"].body) <= LARGEST


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ("document.querySelector('.lead').style.color = '#aaa'", "color-contrast"),
        ("document.querySelector('footer a').textContent = ''", "link-name"),
        ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(
    planted: str, rule: str, evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    page = visit(published(evidence["running"], in_state("running")[1])).open().page
    page.evaluate(planted)
    assert {found.partition(":")[0] for found in violations(page)} == {rule}


def test_it_can_be_read_without_scripts(
    evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    publication = published(evidence["soon"], in_state("soon")[1])
    page = visit(publication, java_script_enabled=False).open().page
    text = page.inner_text("main")
    for told in ("Maintenance begins soon", "22:00 CET (21:00 UTC)", "9 min", "called customers"):
        assert told in text


@pytest.mark.parametrize("wrong", [-TURNED_BACK, 0, TURNED_BACK])
def test_a_countdown_goes_by_the_clock_of_the_server(
    wrong: int, evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    now = START - timedelta(minutes=9)
    visitor = visit(published(evidence["soon"], now), timezone_id="America/New_York")
    clock = int(now.timestamp() * 1000) + wrong
    visitor.page.clock.install(time=clock / 1000)
    visitor.page.clock.pause_at(clock / 1000 + 1)
    visitor.open()
    assert visitor.page.inner_text("#countdown") == "9 min 00 s"
    visitor.page.clock.run_for(5000)
    assert visitor.page.inner_text("#countdown") == "8 min 55 s"


HEARD = """addEventListener("DOMContentLoaded", () => {
  window.heard = [];
  const announcer = document.querySelector("#announcer");
  new MutationObserver(() => heard.push(announcer.textContent))
    .observe(announcer, {childList: true});
});
window.polls = 0;
const real = window.fetch;
window.fetch = async (...asked) => {
  polls += 1;
  const response = await real(...asked), read = response.text.bind(response);
  response.text = async () => {
    const text = await read(), channel = new MessageChannel();
    channel.port1.onmessage = () => { polls -= 1; };  // after the page has used the text
    channel.port2.postMessage(0);
    return text;
  };
  return response;
};"""
"""What is announced, and how many polls are under way."""


def test_thresholds_and_states_are_announced_politely_and_six_times_at_most(
    evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    now = START - timedelta(minutes=31)
    visitor = visit(published(evidence["scheduled"], now))
    page = visitor.page
    page.clock.install(time=now.timestamp())
    page.clock.pause_at(now.timestamp() + 1)
    page.add_init_script(HEARD)
    visitor.open()

    def pass_time(seconds: int, publication: Publication) -> None:
        # an answer under way would tell of a time that has not come yet
        wait_until(lambda: page.evaluate("polls") == 0, 60, "the polls under way")
        visitor.publication = publication
        page.clock.fast_forward(seconds * 1000)

    for seconds in (90, 1200, 540):  # 29.5, 9.5 and 0.5 minutes before it begins
        now += timedelta(seconds=seconds)
        pass_time(seconds, published(evidence_of(None, now), now))
    for name in ("running", "late", "done"):
        pass_time(15, published(evidence[name], in_state(name)[1]))
        page.wait_for_selector(f"#standing[data-state={name}]")
    assert page.get_attribute("#announcer", "aria-live") == "polite"
    assert page.evaluate("heard") == [
        "Maintenance begins in 30 minutes.",
        "Maintenance begins in 10 minutes.",
        "Maintenance begins in 1 minute.",
        "Maintenance is under way.",
        "Maintenance takes longer than planned.",
        "Maintenance is done.",
    ]


FOCUSED = """[document.activeElement.textContent,
  getComputedStyle(document.activeElement).outlineStyle]"""


def test_by_keyboard_everything_is_reached_and_seen(
    evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    page = visit(published(evidence["running"], in_state("running")[1])).open().page
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        text, outline = page.evaluate(FOCUSED)
        reached.append(text)
        assert outline != "none", text
    assert reached == [
        "Skip to what is known", "More about: Search finds notes", "Tick an item",
        "support@example.com", "Calendar entry", "Feed for programs",
    ]  # fmt: skip


def test_the_form_is_accessible_and_a_label_that_is_missing_is_found(
    evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    publication = published(evidence["running"], in_state("running")[1])
    items = [one for one in publication.state.checklist if not one.machine]
    text = render_checklist(publication.state, items, "0" * 64, "This token is nobody's.")
    pages = {"index.html": PublishedFile(text.encode(), HTML)}
    page = visit(Publication(publication.state, pages), color_scheme="dark").open().page
    assert violations(page) == []
    page.evaluate("document.querySelector('label[for=token]').remove()")
    assert {found.partition(":")[0] for found in violations(page)} == {"label"}


SHOP = f"""<!doctype html><html lang="en">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src {HOME}; connect-src {HOME}">
<title>Shop</title><main><h1>Shop</h1></main>
<script src="{HOME}banner.js" defer></script></html>"""
"""A page of somebody's application, whose policy bars inline styles and scripts."""


def in_shop(visitor: Visitor) -> Any:
    """Open the application's page, which carries the banner."""
    page = visitor.page
    page.route(
        "http://shop.test/", lambda route: route.fulfill(body=SHOP, content_type="text/html")
    )
    page.goto("http://shop.test/")
    return page


def test_a_banner_tells_of_the_maintenance_in_two_zones_and_stays_dismissed(
    evidence: dict[StateName, PageEvidence], visit: Any
) -> None:
    visitor = visit(
        published(evidence["soon"], in_state("soon")[1]),
        timezone_id="America/New_York", locale="en-GB", color_scheme="dark",
    )  # fmt: skip
    page = in_shop(visitor)
    text = page.locator("section").inner_text()
    assert "Maintenance begins soon" in text
    assert re.search(r"17:00.18:30 \(America/New_York\).*21:00.22:30 \(UTC\)", text), text
    assert violations(page) == []
    page.get_by_role("button", name="Dismiss: Maintenance begins soon").click()
    assert page.locator("section").count() == 0
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.locator("section").count() == 0
    visitor.publication = published(evidence["done"], in_state("done")[1])
    page.reload()
    page.get_by_role("button", name="Dismiss: Accounts are called customers").click()
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.ariaLabel") == (
        "Dismiss: Search finds notes"
    )
    page.reload()
    assert page.locator("section").inner_text().startswith("Search finds notes")
    assert len(visitor.publication.files["banner.js"].body) <= 8192
