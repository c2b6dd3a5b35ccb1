"""A document that is to be merged: of which kind it is, and what it must share with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from harness.check import verdict_file
from harness.core.errors import UsageError
from harness.crash import coverage_file
from harness.document.base import parse_document, read_document, read_document_text
from harness.document.crash import CrashDocument
from harness.document.live import LiveDocument
from harness.document.merge import MERGE_SCHEMA, MergedKind, MergeDocument
from harness.document.mutate import MutateDocument
from harness.document.shard import ShardDocument
from harness.document.verdict import VerdictDocument

AGAIN: Final = "name what harness gate, crash, mutate --out, live or merge --out wrote"
UNTOLD: Final = "it does not say"

Mergeable: TypeAlias = VerdictDocument | CrashDocument | MutateDocument | LiveDocument
Facts: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Piece:
    """One document. `shared` must be the same in all that are merged, `own` in all of its shards.

    `objection` is what an earlier merge had against it.
    """

    name: str
    kind: MergedKind
    document: Mergeable
    shared: Facts
    own: Facts
    objection: str = ""

    @property
    def shard(self) -> ShardDocument | None:
        """Which share it is; None for a whole."""
        return self.document.shard or None


def read_pieces(path: Path) -> Iterator[Piece]:
    """The documents of a file; UsageError names file and reason where it holds none."""
    value = parse_document(path, read_document_text(path, what="the file", hint=AGAIN), hint=AGAIN)
    keys = value.keys() if isinstance(value, dict) else ()
    if "merge_schema" in keys:
        yield from _of_merge(path)
        return
    for key, read in READERS.items():
        if key in keys:
            yield make_piece(str(path), read(path))
            return
    raise UsageError(
        "is no verdict, crash ledger, run of mutants, run under traffic or merged document",
        where=str(path),
        hint=AGAIN,
    )


def make_piece(name: str, document: Mergeable, objection: str = "") -> Piece:
    """The piece that a document is."""
    if isinstance(document, VerdictDocument):
        return Piece(name, "gate", document, *_of_gate(document), objection)
    if isinstance(document, CrashDocument):
        return Piece(name, "crash", document, *_of_crash(document), objection)
    if isinstance(document, MutateDocument):
        return Piece(name, "mutate", document, *_of_mutate(document), objection)
    return Piece(name, "live", document, *_of_live(document), objection)


def _of_gate(document: VerdictDocument) -> tuple[Facts, Facts]:
    shared = _shared(document.plan.hash, document.tool.hash, document.seed.seed)
    around = document.environment
    own = {
        "server": around.get("server", UNTOLD),
        "postgres": around.get("postgres", UNTOLD),
        "rows": document.seed.rows,
        "hash of the makers of rows": document.seed.hash,
        "hash of the suites": document.tool.suites_hash or UNTOLD,
    }
    return shared, own


def _of_crash(document: CrashDocument) -> tuple[Facts, Facts]:
    told = document.environment
    shared = _shared(
        told.get("plan hash", UNTOLD), told.get("tool hash", UNTOLD), told.get("seed", UNTOLD)
    )
    asked = {name: getattr(document.asked, name) for name in document.asked.__struct_fields__}
    own = {name: told.get(name, UNTOLD) for name in ("postgres", "server", "rows")}
    return shared, own | asked


def _of_mutate(document: MutateDocument) -> tuple[Facts, Facts]:
    shared = _shared(document.plan_hash, document.tool_hash, document.seed)
    own = {
        "postgres": document.postgres,
        "judge": document.judge,
        "sample": document.sample,
        "number of mutants": document.of,
        "least score": document.least,
        "trial of declared equivalents": bool(document.refuted or document.refuted == []),
    }
    return shared, own


def _of_live(document: LiveDocument) -> tuple[Facts, Facts]:
    shared = _shared(document.plan.hash, document.tool_hash, document.seed)
    own = {
        "postgres": document.postgres,
        "server": document.server,
        "rows": document.rows,
        "longest wait": document.max_wait_ms,
        "rate that was asked for": document.rate.asked,
    }
    return shared, own


def _shared(plan_hash: Any, tool_hash: Any, seed: Any) -> Facts:
    return {"plan hash": plan_hash, "hash of the harness": tool_hash, "seed": seed}


def _of_merge(path: Path) -> Iterator[Piece]:
    """The merged documents of an earlier merge, each a whole."""
    document = read_document(path, MergeDocument, what="a merged document", hint=AGAIN)
    if document.merge_schema != MERGE_SCHEMA:
        raise UsageError(
            f"it has merge schema {document.merge_schema}, this harness reads {MERGE_SCHEMA}",
            where=str(path),
            hint=AGAIN,
        )
    objection = document.reasons[0] if document.verdict != "GO" and document.reasons else ""
    parts = [*document.gates, document.crash, document.mutate, document.live]
    for part in parts:
        if part is not None:
            yield make_piece(str(path), part, objection)


def _read_gate(path: Path) -> VerdictDocument:
    return verdict_file.read(path).document


def _read_mutate(path: Path) -> MutateDocument:
    document = read_document(path, MutateDocument, what="a run of mutants", hint=AGAIN)
    if len(document.rows) != document.mutants:
        raise UsageError(
            f"it counts {document.mutants} mutants and lists {len(document.rows)}",
            where=str(path),
            hint=AGAIN,
        )
    return document


def _read_live(path: Path) -> LiveDocument:
    return read_document(path, LiveDocument, what="a run under traffic", hint=AGAIN)


READERS: Final[Mapping[str, Callable[[Path], Any]]] = {
    "schema_version": coverage_file.read,
    "schema": _read_gate,
    "least": _read_mutate,
    "latency": _read_live,
}
"""By a key that documents of one kind alone have."""
