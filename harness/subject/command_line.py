"""A command as a person writes it: words, and the places for our database in them."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.server.dsn import fields
from harness.subject.guard import environment

PLACES: Final = ("dsn", "host", "port", "dbname")
_PLACE: Final = re.compile(r"\{(" + "|".join(PLACES) + r")\}")


def split(text: str, what: str) -> tuple[str, ...]:
    """The words of a command, by a shell's rules of quoting; there is no shell.

    Raises UsageError naming `what`, the option or key that it is from.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        reason = str(error).lower()
        raise UsageError(f"the command cannot be split: {reason}", where=what) from None
    if not words:
        raise UsageError("the command is empty", where=what, hint="write a program's name")
    return tuple(words)


def filled(words: tuple[str, ...], dsn: str) -> tuple[str, ...]:
    """The words with our database in its places; a password is never among them."""
    found = fields(dsn)
    values = {
        "dsn": environment.url(dsn),
        "host": found.get("host", "127.0.0.1"),
        "port": found.get("port", "5432"),
        "dbname": found.get("dbname", "postgres"),
    }
    return tuple(_PLACE.sub(lambda place: values[place[1]], word) for word in words)


def refuse_absent(
    words: tuple[str, ...], what: str, root: Path, variables: Mapping[str, str]
) -> None:
    """Raise UsageError where the first word is not a program that can be executed."""
    program = words[0]
    if "/" in program:
        found = shutil.which(str(root / program))
    else:
        found = shutil.which(program, path=variables.get("PATH"))
    if found is None:
        hint = "install it or write its path"
        if "=" in program:
            hint = "variables before a command are a shell's; write env NAME=VALUE COMMAND"
        raise UsageError(f"there is no program {program!r}", where=what, hint=hint)
