"""Who may tick items on the page: names and their tokens, from a file or the environment."""

from __future__ import annotations

import hmac
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.people.page.checklist import LONGEST_NAME

VARIABLE: Final = "HARNESS_PAGE_TOKENS"
SHORTEST: Final = 20
_LINE: Final = re.compile(r"(?P<name>\S(?:.*\S)?)\s+(?P<token>\S+)")


@dataclass(frozen=True)
class TickTokens:
    """The tokens, by the names of who holds them; their values are in no repr."""

    holders: Mapping[str, str]

    def holder(self, token: str) -> str | None:
        """Whose token this is, None for nobody's; it takes the same time for each."""
        found = None
        for name, known in self.holders.items():
            if hmac.compare_digest(known.encode(), token.encode("utf-8", "replace")):
                found = name
        return found

    def __repr__(self) -> str:
        return f"TickTokens({', '.join(self.holders)})"


def read_tokens(file: Path) -> TickTokens:
    """The tokens of a file, a name and a token a line.

    UsageError where it cannot be read, others may read it, or a line is not a name and a token.
    """
    hint = "a line is a name and a token, such as: front-desk 3f9c…"
    try:
        text = file.read_text("utf-8")
        mode = file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        said = f"the tokens cannot be read: {reason}"
        raise UsageError(said, where=str(file), hint=hint) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError("others may read the tokens", where=str(file), hint=f"chmod 600 {file}")
    return parse_tokens(text, str(file))


def parse_tokens(text: str, where: str) -> TickTokens:
    """The tokens of a text; UsageError names the line that is not a name and a token.

    No message repeats a line: a token may stand in it.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        flaw = "" if match else "is not a name and a token"
        if match and len(match["token"]) < SHORTEST:
            flaw = f"the token is shorter than {SHORTEST} letters"
        elif match and (len(match["name"]) > LONGEST_NAME or not match["name"].isprintable()):
            flaw = f"the name has more than {LONGEST_NAME} letters, or some that cannot be printed"
        elif match and (match["name"] in found or match["token"] in found.values()):
            flaw = "the name or the token stands twice"
        if flaw or match is None:
            raise UsageError(flaw, where=f"{where}:{number}", hint="make one: openssl rand -hex 20")
        found[match["name"]] = match["token"]
    if not found:
        raise UsageError("holds no token", where=where, hint="a line is a name and a token")
    return TickTokens(found)
