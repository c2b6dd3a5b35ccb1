"""Pages as HTML that stands alone: styles and script are in it, and its policy allows no others."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.people.page.countdown import countdown_of
from harness.people.page.phases import PhaseName
from harness.people.page.state import CheckedItem, PageState, StateName
from harness.people.page.wording import (
    announcement,
    freshness,
    headline,
    spell_span,
    spell_time,
)

HOME: Final = Path(__file__).parent
MARKS: Final[Mapping[StateName, str]] = {
    "scheduled": "◷",
    "soon": "◷",
    "running": "▶",
    "late": "!",
    "done": "✓",
    "rolled_back": "↩",
    "cancelled": "✕",
}
PHASE_MARKS: Final[Mapping[PhaseName, str]] = {
    "waiting": "○",
    "under way": "▶",
    "done": "✓",
    "undone": "↩",
}


@cache
def static_text(name: str) -> str:
    """A file that pages carry or that is served as it is."""
    return (HOME / "static" / name).read_text("utf-8")


def policy() -> str:
    """What a page may load: its own style and script, its own server's answers, nothing else."""
    style, script = (_digest(static_text(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self';"
        " img-src data:; form-action 'self'; base-uri 'none'"
    )


def render_page(state: PageState, *, live: bool, ticking: bool = False) -> str:
    """The page. `live`: who serves it renders it anew for each moment, and it may trust the time.

    `ticking`: it links to the form by which people tick items.
    """
    waited = countdown_of(state)
    more = {
        "live": live,
        "ticking": ticking,
        "now": int(state.now.timestamp() * 1000),
        "countdown": waited,
        "countdown_to": int(waited.to.timestamp() * 1000) if waited else 0,
        "countdown_text": spell_span(waited.left(state.now)) if waited else "",
        "phase_marks": PHASE_MARKS,
        "script": Markup(static_text("page.js")),  # noqa: S704 - a file of ours
    }
    return _rendered("page.html.j2", state, more)


def render_maintenance(state: PageState) -> str:
    """The page that stands in place of the application."""
    return _rendered("maintenance.html.j2", state, {})


def render_checklist(state: PageState, items: Sequence[CheckedItem], csrf: str, told: str) -> str:
    """The form by which people tick items; `told` is what came of the last try."""
    return _rendered("checklist.html.j2", state, {"items": items, "csrf": csrf, "told": told})


def render_unsubscribe(state: PageState, told: str) -> str:
    """The question whether somebody wants no more mails, or what came of it."""
    return _rendered("unsubscribe.html.j2", state, {"told": told})


def _rendered(template: str, state: PageState, more: Mapping[str, Any]) -> str:
    window = state.window
    return _environment().get_template(template).render(
        state=state,
        window=window,
        policy=policy(),
        style=Markup(static_text("page.css")),  # noqa: S704 - a file of ours
        mark=MARKS[state.name],
        headline=headline(state),
        announcement=announcement(state),
        freshness=freshness(state),
        support_link=_support_link(window.support),
        time=lambda at: spell_time(at, window.zone),
        **more,
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HOME / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _support_link(support: str) -> str:
    if support.startswith(("https://", "http://")):
        return support
    return f"mailto:{support}" if "@" in support and " " not in support else ""


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
