"""Who asks a contract's queries: `contract.toml` beside `read/` and `write/`, or one level above.

    roles = ["app"]

    [claims]
    "request.jwt.claims" = '{"role": "{role}"}'

Both are optional. `claims` are settings that the API makes for each request.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.check.contract.session import CONNECTED
from harness.core.errors import UsageError
from harness.subject.project import find_project

NAME: Final = "contract.toml"
KEYS: Final = ("roles", "claims")


@dataclass(frozen=True)
class ContractSettings:
    """The roles that ask where a query names none, and the settings of a request."""

    roles: tuple[str, ...]
    claims: Mapping[str, str] = field(default_factory=dict)


def contract_settings(directory: Path) -> ContractSettings:
    """The settings of the contract in a directory; UsageError with file and line."""
    found = next(
        (path for at in (directory, directory.parent) if (path := at / NAME).exists()), None
    )
    document = _document(found) if found else {}
    project = find_project(directory)
    roles = tuple(document.get("roles", ())) or (project.roles.application if project else ())
    return ContractSettings(roles or (CONNECTED,), document.get("claims", {}))


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
        good = isinstance(value, list) and all(isinstance(one, str) and one for one in value)
        wanted = "a list of role names"
    else:
        good = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
        wanted = "a table of texts, a setting each"
    if not good:
        raise UsageError(f"{key} is not {wanted}", where=where, hint=f"write {wanted}")
