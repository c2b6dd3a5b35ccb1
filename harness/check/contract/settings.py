"""Who asks a contract's queries: `contract.toml` beside `read/` and `write/`, or one level above.

    roles = ["app"]

    [claims]
    "request.jwt.claims" = '{"role": "{role}"}'

    [api]
    schema = "shop"
    roles = ["visitor", "app"]
    pre_request = "shop.check_request"

    [api.declared]
    "visitor method-removed /orders GET" = "why it may"

All are optional. `claims` are settings that the API makes for each request; `api` says that
PostgREST shows the schema to these roles, which function it calls before each request, and which
changes of the API are meant.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.check.contract.session import CONNECTED, Actor
from harness.core.errors import UsageError
from harness.subject.project import find_project

NAME: Final = "contract.toml"
KEYS: Final = ("roles", "claims", "api")
API_KEYS: Final = ("schema", "roles", "pre_request", "declared")


@dataclass(frozen=True)
class ApiSettings:
    """What PostgREST is told: the schema that it shows, to whom, what it calls before a request."""

    schema: str
    roles: tuple[str, ...] = ()
    pre_request: str | None = None
    declared: Mapping[str, str] = field(default_factory=dict)
    """Changes that may break, by role and change, and why."""


@dataclass(frozen=True)
class ContractSettings:
    """The roles that ask where a query names none, and the settings of a request.

    `api` is None where the subject says of no API that it is made from the schema.
    """

    roles: tuple[str, ...]
    claims: Mapping[str, str] = field(default_factory=dict)
    api: ApiSettings | None = None

    def actor(self, role: str) -> Actor:
        """The role with the settings of its requests."""
        claims = {name: text.replace("{role}", role) for name, text in self.claims.items()}
        return Actor(role, claims)


def contract_settings(directory: Path) -> ContractSettings:
    """The settings of the contract in a directory; UsageError with file and line."""
    found = next(
        (path for at in (directory, directory.parent) if (path := at / NAME).exists()), None
    )
    document = _document(found) if found else {}
    project = find_project(directory)
    roles = tuple(document.get("roles", ())) or (project.roles.application if project else ())
    roles = roles or (CONNECTED,)
    return ContractSettings(roles, document.get("claims", {}), _api(document.get("api"), roles))


def _api(told: Mapping[str, Any] | None, roles: tuple[str, ...]) -> ApiSettings | None:
    if told is None:
        return None
    return ApiSettings(
        told["schema"],
        tuple(told.get("roles", ())) or roles,
        told.get("pre_request"),
        told.get("declared", {}),
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        document = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError:
        raise UsageError("is not valid UTF-8", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path}:{line[1] if line else text.count(chr(10)) + 1}"
        raise UsageError(f"is not valid TOML: {error}", where=where) from None
    for key, value in document.items():
        _refuse_bad(path, text, key, value)
    return document


def _refuse_bad(path: Path, text: str, key: str, value: Any) -> None:
    lines = text.splitlines()
    line = next((n for n, words in enumerate(lines, 1) if key in words), 1)
    where = f"{path}:{line}"
    if key not in KEYS:
        raise UsageError(f"unknown key {key!r}", where=where, hint=f"known are {', '.join(KEYS)}")
    if key == "roles":
        good, wanted = _are_names(value), "a list of role names"
    elif key == "claims":
        good, wanted = _are_texts(value), "a table of texts, a setting each"
    else:
        good = _is_api(value)
        wanted = (
            "a table with schema, a text, and if there are, pre_request, a text, roles, a list of"
            " role names, and declared, a table of texts"
        )
    if not good:
        raise UsageError(f"{key} is not {wanted}", where=where, hint=f"write {wanted}")


def _is_api(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "schema" in value
        and all(map(_is_api_entry, value.keys(), value.values()))
    )


def _is_api_entry(key: str, value: Any) -> bool:
    if key == "roles":
        return _are_names(value)
    if key == "declared":
        return _are_texts(value)
    return key in API_KEYS and isinstance(value, str) and bool(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)
