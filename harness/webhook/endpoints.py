"""The endpoints file: who is told, where, in which vocabulary, and where the secrets are."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from harness.core.errors import UsageError
from harness.plan.reader import Reader, seconds
from harness.server.secrets import remember
from harness.webhook.outbox import Subscription
from harness.webhook.sign import LONGEST, SHORTEST, read_secret

SCHEDULE: Final = ("5s", "5min", "30min", "2h", "5h", "10h", "14h", "20h", "24h")
"""The waits between ten attempts, as Standard Webhooks has them: some three days."""
TIMEOUT: Final = 20.0
_TABLE: Final = "endpoint"
_KEYS: Final = {
    "name", "url", "url_env", "vocabulary", "types", "secret_env", "secret_file", "owner",
    "timeout",
}  # fmt: skip
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_HEADER: Final = re.compile(r"^\s*\[\[\s*endpoint\s*\]\]")
_VISIBLE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class WebhookEndpoint:
    """A receiver. What may be secret, its URL and its keys, is not in the repr."""

    name: str
    vocabulary: str
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    types: tuple[str, ...] = ()
    owner: str = ""
    timeout: float = TIMEOUT

    @property
    def subscription(self) -> Subscription:
        """What the outbox knows of it."""
        return Subscription(self.name, self.vocabulary, self.types)


@dataclass(frozen=True)
class EndpointsFile:
    """Every endpoint, and the waits between the attempts of a delivery, in seconds."""

    endpoints: tuple[WebhookEndpoint, ...]
    schedule: tuple[float, ...]


def read_endpoints(path: Path) -> EndpointsFile:
    """The file's endpoints, with the secrets that it names.

    Raises UsageError with file and line, and without a secret, for what is not as it must be.
    """
    text, document = _parse(path)
    reader = Reader(path, text)
    reader.only(document, {_TABLE, "retry"}, None)
    retry = reader.table(document, "retry", {"schedule"})
    tables = document.get(_TABLE, [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise UsageError("an endpoint is a table [[endpoint]]", where=reader.where(_TABLE))
    if not tables:
        raise UsageError("the file has no [[endpoint]]", where=str(path), hint="write one")
    found = [
        _endpoint(part, one) for part, one in zip(_parts(path, text, tables), tables, strict=True)
    ]
    names = [one.name for one in found]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise UsageError(
                f"there are two endpoints {name!r}", where=reader.where("name", _TABLE)
            )
    return EndpointsFile(tuple(found), _schedule(reader, retry))


def _parse(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError("is not UTF-8", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"is not TOML: {error}", where=str(path)) from error


def _parts(path: Path, text: str, tables: Sequence[Any]) -> list[Reader]:
    """A reader for each table: it sees the table's own lines, at their place in the file."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    if len(starts) != len(tables):  # written in another way that TOML has
        return [Reader(path, text)] * len(tables)
    ends = [*starts[1:], len(lines)]
    return [
        Reader(path, "\n" * first + "\n".join(lines[first:last]))
        for first, last in zip(starts, ends, strict=True)
    ]


def _endpoint(reader: Reader, table: Mapping[str, Any]) -> WebhookEndpoint:
    values = dict(table)
    reader.only(values, _KEYS, _TABLE)
    name = reader.text(values, "name", _TABLE)
    vocabulary = reader.text(values, "vocabulary", _TABLE)
    for key, value in (("name", name), ("vocabulary", vocabulary)):
        if not _NAME.fullmatch(value):
            text = f"{key} is of letters, digits, '_', '.' and '-', at most 63, not {value!r}"
            raise UsageError(text, where=reader.where(key, _TABLE))
    timeout = reader.time(values, "timeout", TIMEOUT, _TABLE)
    if not 0 < timeout <= 60:
        where = reader.where("timeout", _TABLE)
        raise UsageError("timeout is above 0 and at most 60s", where=where)
    return WebhookEndpoint(
        name=name,
        vocabulary=vocabulary,
        url=_url(reader, values),
        keys=_keys(reader, values),
        types=reader.texts(values, "types", _TABLE),
        owner=reader.text(values, "owner", _TABLE) if "owner" in values else "",
        timeout=timeout,
    )


def _url(reader: Reader, values: dict[str, Any]) -> str:
    if ("url" in values) == ("url_env" in values):
        where = reader.where("url", _TABLE)
        raise UsageError("an endpoint has one of url and url_env", where=where)
    key = "url" if "url" in values else "url_env"
    url = reader.text(values, key, _TABLE)
    if key == "url_env":
        url = _variable(reader, key, url)
    flaw = _flaw(url)
    if flaw:
        raise UsageError(f"{key}: {flaw}", where=reader.where(key, _TABLE))
    return url


def _flaw(url: str) -> str:
    """What is wrong with a URL; it may hold secrets, so it is not repeated."""
    if not _VISIBLE.fullmatch(url):
        return "a URL is of visible ASCII characters; write a host of others as xn--…"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "this is not a URL such as https://host/path"
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "this is not a URL such as https://host/path"
    if "@" in parts.netloc:
        return "a URL holds no user and no password: requests are signed"
    if "%" in parts.netloc or "\\" in url:
        return "the host is spelled so that it is read in several ways"
    return ""


def _keys(reader: Reader, values: dict[str, Any]) -> tuple[bytes, ...]:
    """The keys to sign with: one, or also the one that is being replaced."""
    found = []
    for key, read in (("secret_env", _variable), ("secret_file", _content)):
        given = values.get(key, [])
        for name in [given] if isinstance(given, str) else reader.texts(values, key, _TABLE):
            text = read(reader, key, name)
            remember({"password": text.strip()})
            secret = read_secret(text)
            if secret is None:
                shape = f"whsec_ and the base64 of {SHORTEST} to {LONGEST} bytes"
                where = reader.where(key, _TABLE)
                raise UsageError(f"{key}: what {name!r} holds is not {shape}", where=where)
            found.append(secret)
    if not found:
        hint = "name a variable in secret_env, or a file in secret_file"
        raise UsageError(
            "an endpoint needs a secret", where=reader.where("name", _TABLE), hint=hint
        )
    return tuple(found)


def _variable(reader: Reader, key: str, name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        text = f"{key}: the variable {name!r} is not set"
        raise UsageError(text, where=reader.where(key, _TABLE))
    return value


def _content(reader: Reader, key: str, name: str) -> str:
    try:
        return (reader.path.parent / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        text = f"{key}: {name!r} cannot be read: {why}"
        raise UsageError(text, where=reader.where(key, _TABLE)) from error


def _schedule(reader: Reader, retry: dict[str, Any]) -> tuple[float, ...]:
    given = retry.get("schedule", list(SCHEDULE))
    where = reader.where("schedule", "retry")
    if not isinstance(given, list) or not 1 <= len(given) <= 20:
        raise UsageError("schedule is a list of 1 to 20 times", where=where)
    waits = tuple(seconds("schedule", one, where) for one in given)
    if any(wait <= 0 for wait in waits):
        raise UsageError("schedule holds a time that is not above 0", where=where)
    return waits
