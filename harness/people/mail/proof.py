"""What a finished mail has to be: the same in both parts, right in every zone, of nobody else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from typing import Final

from harness.people.mail.compose import spell_times
from harness.people.mail.words import WORDS
from harness.people.recipients import Recipient
from harness.people.window import MaintenanceWindow

ONE_CLICK: Final = "List-Unsubscribe=One-Click"
_TAGS: Final = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)


def mail_flaws(
    message: EmailMessage,
    kind: str,
    window: MaintenanceWindow,
    recipient: Recipient,
    secrets: Iterable[str] = (),
) -> Iterator[str]:
    """Everything that is wrong in a mail; `secrets` are words that it may not hold."""
    parts = {name: _text_of(message, name) for name in ("plain", "html")}
    for name, text in parts.items():
        if window.title not in text:
            yield f"the {name} part does not name the window"
        for time in spell_times(window, recipient) if WORDS[kind].shows_times else ():
            if time.span not in text or time.place not in text:
                yield f"the {name} part does not say {time.place}: {time.span}"
        yield from (f"the {name} part holds {word!r}" for word in secrets if word in text)
    for header, value in message.items():
        yield from (f"{header} holds {word!r}" for word in secrets if word in str(value))
    if not message["Message-ID"]:
        yield "there is no Message-ID"
    yield from _unsubscribe_flaws(message, window, parts.values())


def _unsubscribe_flaws(
    message: EmailMessage, window: MaintenanceWindow, texts: Iterable[str]
) -> Iterator[str]:
    link = str(message["List-Unsubscribe"] or "").strip("<>")
    if not window.page_url:
        return
    if not link or message["List-Unsubscribe-Post"] != ONE_CLICK:
        yield "one click does not unsubscribe: RFC 8058 asks for both headers"
    if not any(link in text for text in texts):
        yield "no part has the link that the header has"


def _text_of(message: EmailMessage, name: str) -> str:
    """The words of a part, each blank one space."""
    part = message.get_body((name,))
    text = part.get_content() if part is not None else ""
    return " ".join((html.unescape(_TAGS.sub(" ", text)) if name == "html" else text).split())
