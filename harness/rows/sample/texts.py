"""Text that looks like what its column's name says."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from harness.rows.hints import Hints
from harness.rows.pattern import match_pattern, parse_pattern
from harness.rows.sample.field import Sampler, ValueField

HEADER: Final = 4
"""What a varchar's modifier counts besides its characters."""
_NAME_BYTES: Final = 63
_EDGES: Final = (
    "", " ", "'", '"', "\\", "a\tb", "two\nlines", "NULL", "\\N", "null", "0", "-1", "<b>x</b>",
    "'; DROP TABLE x; --", "ünïcödé", "日本語", "🙂", "e\u0301", "\u200b", "x" * 300,
    "%s {} $1", "a,b;c|d", " leading", "trailing ", "{}", "[]",
)  # fmt: skip


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, list[str]]:
    """Words by kind."""
    path = Path(__file__).parent.parent / "vocabulary.toml"
    return tomllib.loads(path.read_text("utf-8"))


Kind = Callable[[ValueField, random.Random], str]


def _word(kind: str) -> Kind:
    return lambda _field, rng: rng.choice(vocabulary()[kind])


def _person(kind: str) -> Kind:
    def make(field: ValueField, rng: random.Random) -> str:
        foreign = rng.random() < field.profile.foreign
        return rng.choice(vocabulary()[f"foreign_{kind}" if foreign else f"{kind}_names"])

    return make


_first, _last = _person("first"), _person("last")


def _full_name(field: ValueField, rng: random.Random) -> str:
    return f"{_first(field, rng)} {_last(field, rng)}"


def _login(_field: ValueField, rng: random.Random) -> str:
    words = vocabulary()
    return f"{rng.choice(words['first_names'])}.{rng.choice(words['last_names'])}".lower()


def _mail(field: ValueField, rng: random.Random) -> str:
    return f"{_login(field, rng)}@{rng.choice(vocabulary()['domains'])}"


def _url(_field: ValueField, rng: random.Random) -> str:
    words = vocabulary()
    return f"https://{rng.choice(words['domains'])}/{rng.choice(words['words'])}"


def _phone(_field: ValueField, rng: random.Random) -> str:
    return f"+1-202-555-{rng.randrange(100, 200):04d}"  # reserved for fiction


def _street(_field: ValueField, rng: random.Random) -> str:
    return f"{1 + int(900 * rng.random() ** 2)} {rng.choice(vocabulary()['streets'])}"


def _digits(count: int) -> Kind:
    return lambda _field, rng: "".join(rng.choices("0123456789", k=count))


def _hexadecimal(_field: ValueField, rng: random.Random) -> str:
    return f"{rng.getrandbits(128):032x}"


def _slug(_field: ValueField, rng: random.Random) -> str:
    return "-".join(rng.sample(vocabulary()["words"], 2)).lower()


def _sentence(_field: ValueField, rng: random.Random) -> str:
    words = rng.choices(vocabulary()["words"], k=3 + int(22 * rng.random() ** 2))
    return f"{' '.join(words).capitalize()}."


def _title(_field: ValueField, rng: random.Random) -> str:
    return " ".join(rng.choices(vocabulary()["words"], k=rng.randint(1, 3))).capitalize()


def _choice(*values: str) -> Kind:
    return lambda _field, rng: rng.choice(values)


_STATES: Final = _choice("new", "open", "active", "closed", "done")
_KINDS: Final[list[tuple[re.Pattern[str], Kind]]] = [
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"e_?mail", _mail),
        (r"first_?name|given_?name|forename", _first),
        (r"last_?name|surname|family_?name", _last),
        (r"user_?name|login|handle|nick", _login),
        (r"company|organi[sz]ation|employer|vendor|supplier|customer_?name", _word("companies")),
        (r"full_?name|display_?name|author|contact_?name|(^|_)owner", _full_name),
        (r"phone|mobile|(^|_)fax|(^|_)tel$", _phone),
        (r"url|website|link|homepage|avatar|image", _url),
        (r"domain|host", _word("domains")),
        (r"street|address", _street),
        (r"city|town", _word("cities")),
        (r"country_?code", _choice("US", "DE", "FR", "GB", "ES", "JP", "BR", "IN")),
        (r"country|nation", _word("countries")),
        (r"state_?(abbr|code)|province", _word("states")),
        (r"zip|postal|postcode", _digits(5)),
        (r"currency", _choice("EUR", "USD", "GBP", "CHF", "JPY")),
        (r"locale|lang", _choice("en", "de", "fr", "es", "pt-BR", "zh-CN")),
        (r"time_?zone|(^|_)tz$", _choice("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo")),
        (r"job|profession|occupation|role_?title", _word("jobs")),
        (r"gender", _choice("female", "male", "nonbinary")),
        (r"colou?r", _choice("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd")),
        (r"slug", _slug),
        (r"hash|token|digest|secret|password|checksum|(^|_)key$", _hexadecimal),
        (r"code|sku|(^|_)ref|number|(^|_)no$", _digits(8)),
        (r"status|state$|stage|type|kind|category", _STATES),
        (r"description|note|comment|body|text|content|message|summary|background|bio", _sentence),
        (r"(^|_)name$", _full_name),
    )
]  # fmt: skip


@lru_cache(maxsize=1024)
def kind_of_text(name: str) -> Kind:
    """What a column of this name holds."""
    return next((kind for pattern, kind in _KINDS if pattern.search(name.lower())), _title)


def length_limit(field: ValueField) -> int | None:
    """How many characters the type and the hints leave room for, None without a limit."""
    limits = [field.hints.longest] if field.hints.longest is not None else []
    if field.type.name in ("varchar", "bpchar") and field.modifier > HEADER:
        limits.append(field.modifier - HEADER)
    elif field.type.name in ("name", "char"):
        limits.append(_NAME_BYTES if field.type.name == "name" else 1)
    return min(limits) if limits else None


def sample_text(field: ValueField, rng: random.Random) -> str:
    """A text of a fitting kind and length."""
    hints = field.hints
    if hints.patterns:
        text = _matching(hints, rng)
    elif field.edge(rng):
        text = rng.choice(_EDGES)
    elif hints.low is not None or hints.high is not None:
        text = (hints.low or "") + rng.choice("abcdefghij") if hints.low else rng.choice("0Aa")
    else:
        text = kind_of_text(field.name)(field, rng)
    return _cased(_fitted(text, field, rng), hints)


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> Any:
    return parse_pattern(pattern)


def _matching(hints: Hints, rng: random.Random) -> str:
    # a longer pattern says more; the server holds the text against the others
    parsed = _parsed(max(hints.patterns, key=len))
    return match_pattern(parsed, rng) if parsed is not None else ""


def _fitted(text: str, field: ValueField, rng: random.Random) -> str:
    limit, least = length_limit(field), field.hints.shortest
    if least is not None and len(text) < least and not field.hints.patterns:
        text += "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=least - len(text)))
    if limit is None or len(text) <= limit:
        return text
    return text[:limit].rstrip() or text[:limit]


def _cased(text: str, hints: Hints) -> str:
    return {"lower": text.lower, "upper": text.upper}.get(hints.case or "", text.__str__)()


SAMPLERS: Final[dict[str, Sampler]] = dict.fromkeys(
    ("text", "varchar", "bpchar", "name", "char", "citext"), sample_text
)
