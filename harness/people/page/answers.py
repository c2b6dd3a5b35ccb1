"""Answers over HTTP; Starlette is imported late, since the base install does not bring it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.responses import Response

Headers = Mapping[str, str]


def make_answer(body: bytes, status: int, headers: Headers) -> Response:
    """An answer of bytes; its headers name the type."""
    from starlette.responses import Response

    return Response(body, status, headers)


def html_answer(text: str, status: int, headers: Headers) -> Response:
    """A page."""
    from starlette.responses import HTMLResponse

    return HTMLResponse(text, status, headers)


def json_answer(document: Any, status: int, headers: Headers) -> Response:
    """A JSON document."""
    from starlette.responses import JSONResponse

    return JSONResponse(document, status, headers)


def text_answer(text: str, status: int) -> Response:
    """A line of text."""
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(text, status)


def redirect_answer(address: str, headers: Headers) -> Response:
    """Go there, and ask with GET."""
    from starlette.responses import RedirectResponse

    return RedirectResponse(address, 303, headers)
