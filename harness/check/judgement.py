"""The verdict of an earlier gate, read back: whole and without contradiction, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from harness.core.errors import UsageError
from harness.core.finding import Severity
from harness.database import source
from harness.database.source import Source

SCHEMA = 3  # of verdict.json; raised when a key changes its meaning

TEXTS = ("verdict", "judged_at")
LISTS = ("reasons", "suites", "evidence", "findings", "unknowns")
HASHED = ("plan", "seed", "tool")
OBJECTS = (*HASHED, "figures", "settings", "source")
PARTS = {  # what every entry of a list has
    "suites": {"name", "verdict", "passed", "failed", "skipped", "seconds"},
    "evidence": {"name", "verdict", "reason"},
    "findings": {"id", "severity", "where", "message", "hint", "evidence"},
}
WORDS = ("pass", "fail", "unknown")
AGAIN = "run the gate again: harness gate"


@dataclass(frozen=True)
class Judgement:
    """What a gate said, of which plan, and when (UTC)."""

    path: Path
    word: str
    reasons: tuple[str, ...]
    plan: str
    plan_hash: str
    judged_at: datetime
    document: dict[str, Any]
    source: Source

    @property
    def rows(self) -> int:
        """How many rows it was judged on."""
        return int(self.document["seed"]["rows"])

    def limits(self, times: int) -> dict[str, int]:
        """So many times the rows that each table had when it was judged, where that is known."""
        tables = self.document["seed"].get("tables", {})
        return {name: times * max(1, int(rows)) for name, rows in tables.items()}


def read(path: Path) -> Judgement:
    """Read a verdict file; UsageError names file, line and reason when it cannot be trusted."""
    text = _text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise _unreadable(f"is not JSON: {error.msg}", f"{path}:{error.lineno}") from None
    reader = _Reader(path, text)
    reader.check(document)
    plan = document["plan"]
    return Judgement(
        path=path,
        word=document["verdict"],
        reasons=tuple(map(str, document["reasons"])),
        plan=f"{plan.get('name', '')} {plan.get('version', '')}".strip(),
        plan_hash=plan["hash"],
        judged_at=reader.moment(document["judged_at"]),
        document=document,
        source=reader.source(document),
    )


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def where(self, key: str) -> str:
        """File and line of a top-level key, or of the file's beginning."""
        for indent in ("  ", ""):  # as the gate writes it, or as one long line
            for number, line in enumerate(self._lines, 1):
                if line.startswith(f'{indent}"{key}"') or (not indent and f'"{key}"' in line):
                    return f"{self._path}:{number}"
        return f"{self._path}:1"

    def check(self, document: Any) -> None:
        """Every key that a reader relies on, and no GO that the rest of the file denies."""
        if not isinstance(document, dict) or "schema" not in document:
            raise _unreadable("is not a verdict: it has no key 'schema'", f"{self._path}:1")
        if document["schema"] != SCHEMA:
            raise _unreadable(
                f"has schema {document['schema']!r}, this harness reads {SCHEMA}",
                self.where("schema"),
            )
        self._check_keys(document)
        for key, wanted in PARTS.items():
            for number, part in enumerate(document[key]):
                self._check_part(f"{key}[{number}]", part, wanted, self.where(key))
        self._check_word(document)

    def _check_keys(self, document: dict[str, Any]) -> None:
        kinds = ((TEXTS, str, "a text"), (LISTS, list, "a list"), (OBJECTS, dict, "an object"))
        for keys, kind, name in kinds:
            for key in keys:
                if not isinstance(document.get(key), kind):
                    raise _unreadable(f"{key!r} is not {name}", self.where(key))
        for key in HASHED:
            if not isinstance(document[key].get("hash"), str):
                raise _unreadable(f"{key!r} carries no hash", self.where(key))

    @staticmethod
    def _check_part(name: str, part: Any, wanted: set[str], where: str) -> None:
        if not isinstance(part, dict) or not part.keys() >= wanted:
            raise _unreadable(f"{name} is not whole", where)
        if part.get("verdict", "pass") not in WORDS:
            raise _unreadable(f"{name} has no verdict", where)
        if part.get("severity", "info") not in get_args(Severity):
            raise _unreadable(f"{name} has no severity", where)

    def _check_word(self, document: dict[str, Any]) -> None:
        word = document["verdict"]
        if word not in ("GO", "NO-GO"):
            raise _unreadable(f"the verdict is {word!r}, not GO or NO-GO", self.where("verdict"))
        parts = [*document["suites"], *document["evidence"]]
        denied = document["reasons"] or not parts or document["unknowns"]
        denied = denied or any(part["verdict"] != "pass" for part in parts)
        if word == "GO" and denied:
            raise _unreadable(
                "contradicts itself: GO, but not everything passed", self.where("verdict")
            )

    def source(self, document: dict[str, Any]) -> Source:
        """The database that was judged, as it was before."""
        if not isinstance(document["seed"].get("rows"), int):
            raise _unreadable("'seed' does not say how many rows", self.where("seed"))
        try:
            return source.parse(document["source"])
        except ValueError as error:
            raise _unreadable(f"'source' is not whole: {error}", self.where("source")) from None

    def moment(self, text: str) -> datetime:
        """A moment with its time zone."""
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise _unreadable(
                f"judged_at is {text!r}, not a time with its zone", self.where("judged_at")
            )
        return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        reason = f"the verdict cannot be read: {error.strerror}"
        raise _unreadable(reason, str(path)) from None
    except UnicodeDecodeError:
        raise _unreadable("is not valid UTF-8", str(path)) from None


def _unreadable(reason: str, where: str) -> UsageError:
    return UsageError(reason, where=where, hint=AGAIN)
