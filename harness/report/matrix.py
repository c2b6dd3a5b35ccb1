"""The security matrix: who may do what, before and after, and why it changed where it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.document.security import FunctionAccess, RelationAccess, SecurityDocument

Change = Literal["allowed", "some", "none", "gained", "lost", "unknown"]
PRIVILEGES = ("select", "insert", "update", "delete")
LETTERS = {"select": "S", "insert": "I", "update": "U", "delete": "D", "execute": "X"}
SIGNS = {"gained": "+", "lost": "-"}
LEVELS = {  # how far a word lets a role reach
    **dict.fromkeys(("", "no", "denied", "impossible", "none", "false"), 0),
    "some": 1,
}
ALL = 2
NEUTRAL = {"empty"}  # let through, but there was no row: says nothing of how many


@dataclass(frozen=True)
class AccessMark:
    """One privilege of one role: how far it reaches, or which way that changed."""

    privilege: str
    change: Change
    before: str
    after: str
    explained: str = ""

    @property
    def shown(self) -> str:
        """S, I, U, D or X with the way it changed; a dot where nothing is allowed."""
        letter = LETTERS.get(self.privilege, self.privilege[:1].upper())
        return "·" if self.change == "none" else SIGNS.get(self.change, "") + letter

    @property
    def spoken(self) -> str:
        """The same in words."""
        because = f", because {self.explained}" if self.explained else ""
        was = "" if self.before == self.after else f"{self.before} before, "
        return f"{self.privilege}: {was}{self.after} now{because}"


@dataclass(frozen=True)
class AccessLine:
    """A relation or function, and its marks by role; `state` is new, gone or empty."""

    name: str
    was: str
    state: str
    cells: tuple[tuple[AccessMark, ...], ...]
    because: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether it is new or gone, or anybody may do more, or less, than before."""
        marks = [mark for cell in self.cells for mark in cell]
        return bool(self.state) or any(mark.change in ("gained", "lost") for mark in marks)


@dataclass(frozen=True)
class Matrix:
    """Everything that was tried."""

    roles: tuple[str, ...]
    relations: tuple[AccessLine, ...]
    functions: tuple[AccessLine, ...]

    @property
    def changed(self) -> int:
        """Lines in which something changed."""
        return sum(line.changed for line in (*self.relations, *self.functions))


def draw_matrix(document: SecurityDocument) -> Matrix:
    """The matrix of a security document."""
    return Matrix(
        tuple(document.roles),
        tuple(_relation(one, document.roles) for one in document.relations),
        tuple(_function(one, document.roles) for one in document.functions),
    )


def _relation(access: RelationAccess, roles: Sequence[str]) -> AccessLine:
    before, after = access.before or {}, access.after or {}
    reasons = access.explained
    cells = [
        tuple(
            _mark(
                privilege,
                before.get(role, {}).get(privilege),
                after.get(role, {}).get(privilege),
                reasons.get(f"{role} {privilege}", ""),
            )
            for privilege in PRIVILEGES
        )
        for role in roles
    ]
    return AccessLine(
        name=access.name,
        was=access.was or "",
        state="new" if access.new else "gone" if access.after is None else "",
        cells=tuple(cells),
        because=tuple(dict.fromkeys(reasons.values())),
    )


def _function(access: FunctionAccess, roles: Sequence[str]) -> AccessLine:
    """A function has but one privilege."""
    before, after = access.before or {}, access.after or {}
    new = access.before is None and access.after is not None
    return AccessLine(
        name=access.name,
        was="",
        state="new" if new else "gone" if access.after is None else "",
        cells=tuple((_mark("execute", before.get(role), after.get(role), ""),) for role in roles),
        because=(),
    )


def _mark(privilege: str, before: str | None, after: str | None, explained: str) -> AccessMark:
    words = [before, after]
    old, new = (None if word is None else _level(word) for word in words)
    reach: Change = "none" if not new else "some" if new < ALL else "allowed"
    comparable = old is not None and new is not None and not NEUTRAL.intersection(words)
    change = reach
    if "unknown" in words:
        change = "unknown"
    elif comparable and old != new:
        change = "gained" if (new or 0) > (old or 0) else "lost"
    return AccessMark(
        privilege, change, words[0] or "not there", words[1] or "not there", explained
    )


def _level(word: str) -> int:
    return LEVELS.get(word.lower(), ALL)
