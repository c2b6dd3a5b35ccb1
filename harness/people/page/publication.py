"""Everything that the page consists of at one moment: each file's bytes, type and ETag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from harness.people.page.calendar import calendar_of
from harness.people.page.feed import feed_documents
from harness.people.page.render import render_maintenance, render_page, static_text
from harness.people.page.state import PageState

HTML: Final = "text/html; charset=utf-8"
FEED: Final = "api/v2/"


@dataclass(frozen=True)
class PublishedFile:
    """A file as it is served or written."""

    body: bytes
    kind: str

    @property
    def etag(self) -> str:
        """What changes when the bytes do."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


@dataclass(frozen=True)
class Publication:
    """The files by their paths, and the state that they tell of."""

    state: PageState
    files: Mapping[str, PublishedFile]


def publish(
    state: PageState, planned_at: datetime, *, live: bool, ticking: bool = False
) -> Publication:
    """The files of a state; `live` and `ticking` are as in render_page."""
    files = {
        "index.html": _html(render_page(state, live=live, ticking=ticking)),
        "maintenance.html": _html(render_maintenance(state)),
        "banner.js": PublishedFile(
            static_text("banner.js").encode(), "text/javascript; charset=utf-8"
        ),
        "calendar.ics": PublishedFile(
            calendar_of(state, planned_at), "text/calendar; charset=utf-8"
        ),
    }
    for name, document in feed_documents(state, planned_at).items():
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        files[FEED + name] = PublishedFile(text.encode(), "application/json; charset=utf-8")
    return Publication(state, files)


def _html(text: str) -> PublishedFile:
    return PublishedFile(text.encode(), HTML)
