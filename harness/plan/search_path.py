"""Schema names of a search_path, as a plan or a script's header writes them."""

from __future__ import annotations

import re
from typing import Final

NAME: Final = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^\W\d][\w$]*))\s*')
OURS: Final = ("pg_catalog", "pg_temp")
LONGEST: Final = 63


def schema_names(text: str) -> tuple[str, ...]:
    """The names, folded as SQL folds them; none for an empty text or an empty name in quotes.

    Raises ValueError that says what is wrong.
    """
    if text.strip() in ("", "''", '""'):
        return ()
    names = []
    place = 0
    while True:
        match = NAME.match(text, place)
        if match is None:
            raise ValueError(f"names schemas with commas between them, not {text!r}")
        names.append(match[1].replace('""', '"') if match[1] else match[2].lower())
        place = match.end()
        if place == len(text):
            return tuple(names)
        if text[place] != ",":
            raise ValueError(f"names schemas with commas between them, not {text!r}")
        place += 1


def plan_search_path(value: object) -> tuple[str, ...]:
    """The schemas in which the scripts of a plan look for names; ValueError says what is wrong.

    Only such whose meaning stays the same, whoever runs the plan and whatever a script makes.
    """
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"is a text that names schemas, not {value!r}")
    names = schema_names(value)
    for name in names:
        if name == "$user":
            raise ValueError("cannot name $user: another role would run another migration")
        if name in OURS:
            raise ValueError(f"need not name {name}, which is always searched, and first")
        if len(name.encode()) > LONGEST:
            raise ValueError(f"names {name!r}, which is longer than {LONGEST} bytes")
    if len(set(names)) < len(names):
        raise ValueError(f"names a schema twice: {value!r}")
    return names


def written(names: tuple[str, ...]) -> str:
    """The names as a search_path is written, each in quotes."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)
