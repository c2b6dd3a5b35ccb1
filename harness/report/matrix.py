"""The security matrix: who may do what, before and after, and why it changed where it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.report.shape import Document, MisshapenError, document, objects, shown, text

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
class Mark:
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
class Line:
    """A relation or function, and its marks by role; `state` is new, gone or empty."""

    name: str
    was: str
    state: str
    cells: tuple[tuple[Mark, ...], ...]
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
    relations: tuple[Line, ...]
    functions: tuple[Line, ...]

    @property
    def changed(self) -> int:
        """Lines in which something changed."""
        return sum(line.changed for line in (*self.relations, *self.functions))


def read(found: Document) -> Matrix:
    """The matrix of a security document; MisshapenError says what it lacks."""
    told = document(found.get("matrix", found), "matrix")
    roles = told.get("roles")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise MisshapenError("roles is not a list of names")
    functions = objects(told, "functions") if "functions" in told else []
    return Matrix(
        tuple(roles),
        tuple(_line(item, roles, PRIVILEGES) for item in objects(told, "relations")),
        tuple(_line(item, roles, ("execute",)) for item in functions),
    )


def _line(item: Document, roles: Sequence[str], privileges: Sequence[str]) -> Line:
    name = text(item, "name")
    before, after = item.get("before"), item.get("after")
    new = bool(item.get("new", after is not None and before is None))
    reasons = item.get("explained") or {}
    reasons = reasons if isinstance(reasons, dict) else {"": shown(reasons)}
    cells = []
    for role in roles:
        old, now = _side(before, role, name), _side(after, role, name)
        cells.append(
            tuple(
                _mark(one, old.get(one), now.get(one), str(reasons.get(f"{role} {one}", "")))
                for one in privileges
            )
        )
    return Line(
        name=name,
        was=str(item.get("was") or ""),
        state="new" if new else "gone" if after is None else "",
        cells=tuple(cells),
        because=tuple(dict.fromkeys(shown(reason) for reason in reasons.values())),
    )


def _side(side: Any, role: str, name: str) -> Document:
    """What a role may do on one side; a function has but one privilege, given by its word alone."""
    if side is None:
        return {}
    told = document(side, f"{name}, before or after").get(role)
    return told if isinstance(told, dict) else {"execute": told}


def _mark(privilege: str, before: Any, after: Any, explained: str) -> Mark:
    words = [_word(side) for side in (before, after)]
    old, new = (None if word is None else _level(word) for word in words)
    reach: Change = "none" if not new else "some" if new < ALL else "allowed"
    comparable = old is not None and new is not None and not NEUTRAL.intersection(map(str, words))
    change = reach
    if "unknown" in words:
        change = "unknown"
    elif comparable and old != new:
        change = "gained" if (new or 0) > (old or 0) else "lost"
    return Mark(privilege, change, words[0] or "not there", words[1] or "not there", explained)


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return "allowed" if value else "denied"


def _level(word: str) -> int:
    return LEVELS.get(word.lower(), ALL)
