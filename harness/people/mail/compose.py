"""One mail: text and HTML that say the same, the times in every zone that matters, its headers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any, Final

from harness.core.extras import require_extra
from harness.people.mail.settings import MailSettings
from harness.people.mail.words import WORDS
from harness.people.recipients import Recipient
from harness.people.window import MaintenanceWindow
from harness.people.zones import spell_offset

SIGNATURE: Final = "-- "  # what comes after it is no part of the letter, RFC 3676
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class SpelledTime:
    """The window as one zone's clock shows it."""

    place: str
    span: str


@dataclass(frozen=True)
class MailToCompose:
    """What a mail is made of. `dated` is the time of its first try, and stays over all of them."""

    kind: str
    recipient: Recipient
    message_id: str
    dated: datetime
    unsubscribe: str = ""


def compose_mail(
    window: MaintenanceWindow, settings: MailSettings, mail: MailToCompose
) -> EmailMessage:
    """The message; InfrastructureError where the extra is missing that makes its HTML."""
    words = WORDS[mail.kind]
    told: dict[str, Any] = {
        "window": window,
        "kind": mail.kind,
        "words": words,
        "times": spell_times(window, mail.recipient) if words.shows_times else [],
        "changes": window.changes if words.shows_changes else (),
        "guide_url": window.guide_url if mail.kind in ("done", "guide") else "",
        "unsubscribe": mail.unsubscribe,
    }
    message = EmailMessage()
    day = _day(window.start.astimezone(mail.recipient.zone))
    message["Subject"] = words.subject.format(title=window.title, day=day)
    message["From"] = Address(settings.name, addr_spec=settings.sender)
    message["To"] = Address(mail.recipient.name, addr_spec=mail.recipient.address)
    message["Date"] = format_datetime(mail.dated)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(_tidy(_template("mail.txt.j2").render(told)), cte="quoted-printable")
    html = _inlined(_template("mail.html.j2").render(told))
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    # the same bytes with each try: what is twice can be told by more than its Message-ID
    message.set_boundary(f"part-{hashlib.sha256(mail.message_id.encode()).hexdigest()[:24]}")
    return message


def spell_times(window: MaintenanceWindow, recipient: Recipient) -> list[SpelledTime]:
    """The window by the recipient's clock, by its own and in UTC, each once."""
    zones: dict[str, tzinfo] = {
        f"Your time ({recipient.zone.key})": recipient.zone,
        window.zone.key: window.zone,
        "UTC": UTC,
    }
    if recipient.zone.key == window.zone.key:
        del zones[f"Your time ({recipient.zone.key})"]
    return [
        SpelledTime(
            name, spell_span(window.start.astimezone(zone), window.end.astimezone(zone))
        )
        for name, zone in zones.items()
    ]  # fmt: skip


def spell_span(start: datetime, end: datetime) -> str:
    """Such as: Saturday 15 March 2031, 22:00 to 23:30 (UTC+01:00)."""
    first, second = (f"UTC{spell_offset(time)}" for time in (start, end))
    first, second = (one.replace("UTC+00:00", "UTC") for one in (first, second))
    opened = f"{_day(start)} {start.year}, {start:%H:%M}"
    closed = f"{end:%H:%M}"
    if start.date() != end.date():
        closed = f"{_day(end)} {end.year}, {closed}"
    if first != second:
        return f"{opened} ({first}) to {closed} ({second})"
    return f"{opened} to {closed} ({first})"


def _day(time: datetime) -> str:
    # not strftime: the names of days are those of the process's locale
    return f"{_DAYS[time.weekday()]} {time.day} {_MONTHS[time.month - 1]}"


def _tidy(text: str) -> str:
    """Without more than one empty line in a row."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line if line == SIGNATURE else line.rstrip())
    return "\n".join(lines) + "\n"


@cache
def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("harness.people.mail"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _inlined(html: str) -> str:
    require_extra("people", "harness notify")
    import css_inline

    return css_inline.inline(html, keep_style_tags=False, load_remote_stylesheets=False)
