"""What a tree takes for granted on its server: roles that it does not make, extensions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import pglast
from pglast import enums
from pglast.parser import ParseError
from pglast.visitors import Visitor

from harness.subject.adapter.model import ForeignRevision

_META: Final = re.compile(r"^\\.*$", re.M)
_EXTENSION: Final = re.compile(
    r"\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?\"?([\w-]+)\"?", re.I
)


@dataclass
class Mentioned:
    """Roles in the order they are met, and extensions."""

    roles: list[str] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    extensions: set[str] = field(default_factory=set)

    @property
    def granted(self) -> list[str]:
        """Roles that are named and never made."""
        return [name for name in dict.fromkeys(self.roles) if name not in self.made]


class _RoleNames(Visitor):
    def __init__(self, found: Mentioned) -> None:
        super().__init__()
        self._found = found

    def visit_RoleSpec(self, _above: Any, node: Any) -> None:  # noqa: N802 - pglast's way
        if node.roletype == enums.RoleSpecType.ROLESPEC_CSTRING:
            self._found.roles.append(node.rolename)

    def visit_CreateRoleStmt(self, _above: Any, node: Any) -> None:  # noqa: N802 - likewise
        self._found.made.add(node.role)


def read_mentioned(revisions: Iterable[ForeignRevision], baseline: str = "") -> Mentioned:
    """What the scripts name; a text that does not parse names extensions alone."""
    found = Mentioned()
    for text in [
        baseline,
        *(script.text for one in revisions for script in (one.up, one.down) if script),
    ]:
        found.extensions.update(name.lower() for name in _EXTENSION.findall(text))
        try:
            _RoleNames(found)(pglast.parse_sql(_META.sub("", text)))
        except ParseError:
            continue
    return found
