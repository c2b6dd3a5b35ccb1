"""Ticking an item over HTTP: a token, a form of our own, and a reading that is not old.

A browser that is led here from another site is stopped thrice: by the Origin that it names, by the
form's value, which only our page knows, and by the token, which no browser sends of itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from harness.core.errors import HarnessError, Refused
from harness.people.page.answers import html_answer, json_answer, redirect_answer
from harness.people.page.publisher import Publisher
from harness.people.page.render import render_checklist
from harness.people.page.tokens import TickTokens

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COOKIE: Final = "harness-form"
LARGEST: Final = 8192
AWAY: Final = (
    "The database cannot be seen now, so nothing was ticked. Try again when the page can see it."
)
BEARER: Final = "bearer "


class RefusedTick(Exception):  # noqa: N818 - reads as what happened
    """An answer in place of a tick: a status, and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Ticking:
    """The form, and what comes of it. `tell` is given what an operator should know."""

    publisher: Publisher
    tokens: TickTokens
    tell: Callable[[str], None]
    key: bytes

    async def show(self, request: Request) -> Response:
        """The form, with a value that only this browser's next POST can bring back."""
        done = request.query_params.get("done", "")
        known = {one.id: one.text for one in self.publisher.state().checklist}
        return self._form(request, f"Ticked: {known[done]}" if done in known else "")

    async def take(self, request: Request) -> Response:
        """Tick an item; the reason where it is not."""
        direct = request.headers.get("authorization", "").lower().startswith(BEARER)
        try:
            fields = await self._fields(request)
            if direct:
                token = request.headers["authorization"][len(BEARER) :].strip()
            else:
                self._require_own_form(request, fields)
                token = fields.get("token", "")
            item, by, at = self._ticked(fields.get("item", ""), token)
        except RefusedTick as refused:
            if direct:
                return json_answer({"error": refused.reason}, refused.status, _more(refused))
            return self._form(request, refused.reason, refused)
        if direct:
            return json_answer({"item": item, "by": by, "at": at}, 200, _more(None))
        return redirect_answer(f"checklist?done={item}", _more(None))

    def _ticked(self, item: str, token: str) -> tuple[str, str, str]:
        holder = self.tokens.holder(token)
        if holder is None:
            raise RefusedTick(403, "This token is nobody's: nothing was ticked.")
        if self.publisher.state().stale:
            raise RefusedTick(503, AWAY)
        try:
            tick = self.publisher.store.tick(item, holder, self.publisher.clock())
        except Refused as error:
            raise RefusedTick(409, f"Nothing was ticked: {error}.") from None
        except HarnessError as error:
            self.tell(f"a tick was not kept: {error}")
            raise RefusedTick(503, "The tick could not be kept; the operator was told.") from None
        self.publisher.forget()
        return tick.item, tick.by, tick.at.isoformat()

    async def _fields(self, request: Request) -> dict[str, str]:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise RefusedTick(415, "A form is expected here.")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                raise RefusedTick(413, "The form is too large.")
        try:
            found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20)
        except ValueError:
            raise RefusedTick(400, "The form cannot be read.") from None
        return {name: values[0] for name, values in found.items()}

    def _require_own_form(self, request: Request, fields: dict[str, str]) -> None:
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        other = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if other or site not in (None, "same-origin", "none"):
            raise RefusedTick(403, "This came from another site: nothing was ticked.")
        cookie = request.cookies.get(COOKIE, "")
        given = fields.get("csrf", "").encode("utf-8", "replace")
        if not cookie or not hmac.compare_digest(self._sign(cookie).encode(), given):
            raise RefusedTick(403, "The form is too old: fill in this one.")

    def _sign(self, cookie: str) -> str:
        return hmac.new(self.key, cookie.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def _form(self, request: Request, told: str, refused: RefusedTick | None = None) -> Response:
        cookie = request.cookies.get(COOKIE) or secrets.token_hex(16)
        state = self.publisher.state()
        items = [one for one in state.checklist if not one.machine and not one.ticked]
        response = html_answer(
            render_checklist(state, items, self._sign(cookie), told),
            refused.status if refused else 200,
            _more(refused),
        )
        response.set_cookie(
            COOKIE, cookie, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return response


def _more(refused: RefusedTick | None) -> dict[str, str]:
    later = {"Retry-After": "5"} if refused and refused.status == 503 else {}
    return {"Cache-Control": "no-store", **later}
