"""Headers that announce what goes away: on every old path, on no other, for every role."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from psycopg import sql

from harness.check.contract.postgrest.exchange import ApiSession
from harness.check.contract.postgrest.request import ApiRequest
from harness.check.contract.session import Actor
from harness.core.errors import UsageError
from harness.core.finding import Finding

ANNOUNCE: Final = Path(__file__).with_name("announce.sql")
"""The pre-request function that comes with the harness."""
SHIPPED: Final = "announce_deprecation"
HINT: Final = "comment the relation: DEPRECATED: use SUCCESSOR; … since DATE, … after DATE"
NAMES: Final = ("Deprecation", "Sunset", "Link")
RELATIONS: Final = ("successor-version", "deprecation", "sunset")
HTTP_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"
_MOMENT: Final = re.compile(r"@(-?\d{1,15})")
_LINK: Final = re.compile(r'<([^>]*)>\s*((?:;\s*[\w*-]+=(?:"[^"]*"|[^\s",;]+)\s*)*)')
_RELATION: Final = re.compile(r'rel="?([\w -]+)"?')


def install_announcer(session: ApiSession) -> ApiSession:
    """The same session; makes the harness's pre-request function where the one named is not there.

    Raises UsageError where another one is named that the database does not have.
    """
    named = str(session.pre_request)
    schema, _, function = named.rpartition(".")
    there = session.conn.execute(
        "select from pg_catalog.pg_proc where proname = %s and pronamespace = to_regnamespace(%s)",
        [function, sql.Identifier(schema).as_string(session.conn)],
    ).fetchone()
    if there is None and function != SHIPPED:
        reason = f"pre_request names {named}, which the database does not have"
        raise UsageError(reason, where="contract.toml", hint=f"make it, or name {SHIPPED}")
    if there is None:
        with session.conn.transaction():
            path = sql.Identifier(schema).as_string(session.conn)
            session.conn.execute("select pg_catalog.set_config('search_path', %s, true)", [path])
            session.conn.execute(ANNOUNCE.read_bytes())
    return session


def check_announced(
    session: ApiSession,
    actors: Sequence[Actor],
    paths: Sequence[str],
    successors: Mapping[str, str],
    sunset: str | None = None,
) -> Iterator[Finding]:
    """What is wrong with the headers of each path; `successors` are those of the old ones.

    `sunset` is the day (YYYY-MM-DD) that the plan promises. A path that a role is refused is not
    judged for it, since an error has no headers of the transaction; one that nobody may ask is
    unknown.
    """
    for path in paths:
        request = ApiRequest("GET", path.removeprefix("/"), session.schema, limit=1)
        answers = [(actor, session.send(request, actor)) for actor in actors]
        answered = [(actor, one) for actor, one in answers if not one.sqlstate]
        if not answered:
            said = f"GET {path}: {answers[0][1].told}" if answers else f"GET {path}: no role asks"
            yield Finding("api-announced", "warning", path, said, "name a role that may read it")
        for actor, answer in answered:
            wrong = [*_faults(answer.headers, successors.get(path), sunset)]
            if wrong:
                yield Finding(
                    "api-announced",
                    "critical",
                    path,
                    f"GET {path} as {actor.role}: {wrong[0]}",
                    HINT,
                    "\n".join(wrong),
                )


def _faults(
    headers: Sequence[tuple[str, str]], successor: str | None, sunset: str | None
) -> Iterator[str]:
    told = [(name.lower(), value) for name, value in headers]
    if successor is None:
        yield from (
            f"{n} is announced of a path that stays" for n in NAMES if n.lower() in dict(told)
        )
        return
    for name in NAMES:
        times = sum(one == name.lower() for one, _ in told)
        if times != 1:
            yield f"the header {name} is there {times} times, not once"
    found = dict(told)
    moment = read_moment(found.get("deprecation", ""))
    ending = read_http_date(found.get("sunset", ""))
    if "deprecation" in found and moment is None:
        yield f"Deprecation is not a date as RFC 9745 writes it: {found['deprecation']!r}"
    if "sunset" in found and ending is None:
        yield f"Sunset is not an HTTP-date: {found['sunset']!r}"
    if moment and ending and ending < moment:
        yield f"Sunset {ending:%Y-%m-%d} is before Deprecation {moment:%Y-%m-%d}"
    if ending and sunset and f"{ending:%Y-%m-%d}" != sunset:
        yield f"Sunset is {ending:%Y-%m-%d}, and the plan promises {sunset}"
    if "link" in found:
        yield from _link_faults(read_links(found["link"]), successor)


def _link_faults(links: Mapping[str, str], successor: str) -> Iterator[str]:
    for relation in RELATIONS:
        if relation not in links:
            yield f"Link names no {relation}"
    target = links.get("successor-version")
    if target is not None and not f"/{target}".endswith(successor):
        yield f"Link names {target} as the successor, which is {successor}"


def read_moment(text: str) -> datetime | None:
    """The moment of a structured date, `@` and seconds; None for another text."""
    match = _MOMENT.fullmatch(text)
    try:
        return datetime.fromtimestamp(int(match[1]), UTC) if match else None
    except (OverflowError, ValueError, OSError):
        return None


def read_http_date(text: str) -> datetime | None:
    """The moment of an HTTP-date in the form that is to be sent; None for another text."""
    try:
        found = datetime.strptime(text, HTTP_DATE).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if found.strftime(HTTP_DATE) == text else None


def read_links(text: str) -> dict[str, str]:
    """The target of each relation of a Link header."""
    found: dict[str, str] = {}
    for target, parameters in _LINK.findall(text):
        for names in _RELATION.findall(parameters):
            found |= dict.fromkeys(names.split(), target)
    return found
