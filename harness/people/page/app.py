"""The page over HTTP. Requests are answered from memory: none of them reaches a database."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from harness.people.page.answers import make_answer, text_answer
from harness.people.page.publication import HTML, PublishedFile
from harness.people.page.publisher import Publisher
from harness.people.page.render import policy
from harness.people.page.state import PageState
from harness.people.page.ticking import Ticking
from harness.people.page.tokens import TickTokens
from harness.people.page.unsubscribing import Unsubscribing
from harness.people.unsubscribe import UnsubscribeList

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
OPEN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Date, ETag",
}
"""For what other sites' pages may read: the feed, the calendar and the banner."""

Endpoint = Callable[["Request"], Awaitable["Response"]]
METHODS: Final = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


class PageHeaders:
    """Adds the headers of every answer; the time is that by which the page was made."""

    def __init__(self, app: ASGIApp, publisher: Publisher) -> None:
        self._app, self._publisher = app, publisher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        from starlette.datastructures import MutableHeaders

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers["Date"] = format_datetime(self._publisher.clock(), usegmt=True)
                if headers.get("content-type") == HTML:
                    headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
            await send(message)

        await self._app(scope, receive, add)


def page_app(
    publisher: Publisher,
    *,
    tokens: TickTokens | None = None,
    unsubscribed: UnsubscribeList | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> ASGIApp:
    """The page, its feed, calendar and banner; the form for ticks where there are tokens."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    names = publisher.publication().files
    served = [name for name in names if name != "maintenance.html"]
    routes = [Route(f"/{name}", _file(publisher, name)) for name in served]
    routes += [
        Route("/", _file(publisher, "index.html")),
        Route("/maintenance", _maintenance(publisher)),
    ]
    if tokens is not None:
        ticking = Ticking(publisher, tokens, tell, secrets.token_bytes(32))
        routes += [
            Route("/checklist", ticking.show, methods=["GET"]),
            Route("/checklist", ticking.take, methods=["POST"]),
        ]
    if unsubscribed is not None:
        leaving = Unsubscribing(publisher, unsubscribed, tell)
        routes += [
            Route("/unsubscribe/{token}", leaving.show, methods=["GET"]),
            Route("/unsubscribe/{token}", leaving.take, methods=["POST"]),
        ]
    return PageHeaders(Starlette(routes=routes, exception_handlers={404: _absent}), publisher)


def maintenance_app(publisher: Publisher) -> ASGIApp:
    """What stands in place of the application: the same answer to whatever is asked."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    anything = Route("/{path:path}", _maintenance(publisher), methods=METHODS)
    return PageHeaders(Starlette(routes=[anything]), publisher)


def _file(publisher: Publisher, name: str) -> Endpoint:
    async def serve(request: Request) -> Response:
        found: PublishedFile = publisher.publication().files[name]
        headers = {"Content-Type": found.kind, "Cache-Control": "no-cache"}
        if name == "index.html":  # it holds the moment at which it was made
            return make_answer(found.body, 200, headers)
        headers |= {"ETag": found.etag, **OPEN}
        if _has(request.headers.get("if-none-match", ""), found.etag):
            return make_answer(b"", 304, headers)
        return make_answer(found.body, 200, headers)

    return serve


def _has(given: str, etag: str) -> bool:
    """Whether a reader that names these ETags has the file."""
    names = [one.strip().removeprefix("W/") for one in given.split(",")]
    return etag in names or "*" in names


def _maintenance(publisher: Publisher) -> Endpoint:
    async def serve(_request: Request) -> Response:
        published = publisher.publication()
        found = published.files["maintenance.html"]
        headers = {
            "Content-Type": found.kind,
            "Cache-Control": "no-store",
            "Retry-After": str(retry_after(published.state)),
        }
        return make_answer(found.body, 503, headers)

    return serve


def retry_after(state: PageState) -> int:
    """In how many seconds to ask again: at the end that is expected, in 1 to 60 minutes."""
    end = state.expected_end or state.window.end_utc
    left = (end - state.now) / timedelta(seconds=1)
    return int(min(max(left, 60), 3600))


async def _absent(_request: Request, _error: Exception) -> Response:
    return text_answer("There is no such page.\n", 404)
