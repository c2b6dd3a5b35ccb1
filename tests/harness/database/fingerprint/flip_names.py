"""The attributes that the fingerprint compares, by the names that its SQL gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from harness.database.fingerprint.layout import SQL

_BUILD: Final = "jsonb_build_object("
_LABEL: Final = re.compile(r"select\s+'([^']+)'|select\s+(?:case|\w+\.kind|o\.object)\b")


class Attribute(NamedTuple):
    """One compared attribute: of which part and file, of which kind of object, and its name.

    The kind is empty where the query names several. A nested attribute has several names.
    """

    part: str
    file: str
    kind: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.part}: {self.kind or f'<{self.file}> '}…: {'.'.join(self.names)}"

    def is_flipped_by(self, difference: str) -> bool:
        """Whether a difference, as flips.toml writes it, is one of this attribute."""
        part, _, rest = difference.partition(": ")
        name, _, attribute = rest.rpartition(": ")
        return (
            part == self.part
            and name.startswith(self.kind)
            and attribute.partition(".")[0] == self.names[0]
            and attribute.rpartition(".")[2] == self.names[-1]
        )


def compared() -> list[Attribute]:
    """Every attribute that a query of the fingerprint names."""
    return [
        attribute
        for part in ("catalog", "security")
        for path in sorted((SQL / part).glob("*.sql"))
        for attribute in of_file(part, path)
    ]


def of_file(part: str, path: Path) -> Iterator[Attribute]:
    """The attributes that one query names."""
    text = re.sub(r"--.*", "", path.read_text())
    end = 0
    for start in (match.start() for match in re.finditer(re.escape(_BUILD), text)):
        if start < end:
            continue  # a nested one, which is found below its name
        end = _closing(text, start + len(_BUILD))
        labels = [match[1] or "" for match in _LABEL.finditer(text[:start])]
        for names in _names(text[start + len(_BUILD) : end]):
            yield Attribute(part, path.stem, labels[-1] if labels else "", names)


def _names(arguments: str) -> Iterator[tuple[str, ...]]:
    """The names among the arguments of jsonb_build_object; nested ones follow their name."""
    parts = _split(arguments)
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        own = name.strip().strip("'")
        start = value.find(_BUILD)
        if start < 0:
            yield (own,)
            continue
        inner = value[start + len(_BUILD) : _closing(value, start + len(_BUILD))]
        yield from ((own, *names) for names in _names(inner))


def _closing(text: str, start: int) -> int:
    """Where the bracket that is open at `start` is closed."""
    depth, quoted = 1, False
    for place in range(start, len(text)):
        quoted ^= text[place] == "'"
        if not quoted:
            depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise AssertionError("a bracket is not closed")


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no bracket and no constant."""
    parts, depth, quoted = [""], 0, False
    for char in text:
        quoted ^= char == "'"
        if not quoted:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0)
        if char == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts
