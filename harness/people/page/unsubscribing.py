"""Unsubscribing from mails by one click: GET asks, and changes nothing; POST does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.people.page.answers import html_answer
from harness.people.page.publisher import Publisher
from harness.people.page.render import render_unsubscribe
from harness.people.unsubscribe import UnsubscribeList

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

SHOWN = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Unsubscribing:
    """The two answers to a link of a mail. `tell` is given what an operator should know."""

    publisher: Publisher
    unsubscribed: UnsubscribeList
    tell: Callable[[str], None]

    async def show(self, request: Request) -> Response:
        """Ask whether it is meant: programs open links in mails."""
        return await self._answer(self.unsubscribed.knows, request, done=False)

    async def take(self, request: Request) -> Response:
        """Take the token back; it needs no cookie, and may come any number of times."""
        return await self._answer(self.unsubscribed.unsubscribe, request, done=True)

    async def _answer(
        self, ask: Callable[[str], bool], request: Request, *, done: bool
    ) -> Response:
        from starlette.concurrency import run_in_threadpool

        state, status = self.publisher.state(), 200
        try:
            known = await run_in_threadpool(ask, request.path_params["token"])
        except HarnessError as error:
            self.tell(f"a request to unsubscribe was not kept: {error}")
            told, status = "It could not be kept. Please try again.", 503
        else:
            told = "You get no more mails about this." if done else ""
            if not known:
                told, status = "This link is not one of ours.", 404
        return html_answer(render_unsubscribe(state, told), status, SHOWN)
