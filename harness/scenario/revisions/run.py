"""Check a tree: choose the revisions, start a server, judge one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError, UsageError
from harness.document.base import Word
from harness.document.check import CheckDocument, RevisionDocument
from harness.scenario.revisions.apply import Sender
from harness.scenario.revisions.bare import BareChain
from harness.scenario.revisions.baseline import OWNERS, apply_earlier, restore_dump
from harness.scenario.revisions.check_server import (
    CheckServer,
    available_extensions,
    install_account,
    server_for,
)
from harness.scenario.revisions.growth import Growth
from harness.scenario.revisions.judge import Judges, judge
from harness.scenario.revisions.mentioned import Mentioned, read_mentioned
from harness.scenario.revisions.rights import ANONYMOUS
from harness.scenario.revisions.selection import Selection, select_revisions
from harness.scenario.revisions.states import DatabaseState
from harness.scenario.revisions.table_rows import Rows
from harness.subject.adapter.files import read_sql
from harness.subject.adapter.model import ForeignTree
from harness.subject.adapter.recognition import read_tree

ROWS: Final = 1000
Told = Callable[[str, int, int], None]
Assumed = Callable[[str], None]


@dataclass(frozen=True)
class CheckSettings:
    """What is asked: which tree and revisions, how many rows, on which server."""

    path: Path
    layout: str | None = None
    since: str | None = None
    last: int | None = None
    all_of_them: bool = False
    baseline: Path | None = None
    rows: int = ROWS
    like: int | None = None
    seed: int = 1
    server: str = "embedded"
    pg_version: int | None = None
    superuser: bool = False
    anonymous: tuple[str, ...] = ()


def check_tree(settings: CheckSettings, told: Told, assumed: Assumed) -> CheckDocument:
    """Judge the revisions on a server of our own; see `check_on`.

    Raises UsageError for a path that is no tree, Refused for a baseline that does not apply.
    """
    tree = read_tree(settings.path, settings.layout)
    chosen = select_revisions(
        tree, since=settings.since, last=settings.last, all_of_them=settings.all_of_them
    )
    with server_for(settings.server, settings.pg_version, superuser=settings.superuser) as server:
        return check_on(server, tree, chosen, settings, told, assumed)


def check_on(
    server: CheckServer,
    tree: ForeignTree,
    chosen: Selection,
    settings: CheckSettings,
    told: Told,
    assumed: Assumed,
) -> CheckDocument:
    """Judge the chosen revisions of a tree. `assumed` is called with what was taken as given,
    before the first of them runs; `told` after each.
    """
    began = time.monotonic()
    dump = read_sql(settings.baseline) if settings.baseline else ""
    said = [*tree.assumed, chosen.why]
    said += _prepare(server, read_mentioned(tree.revisions, dump), settings)
    for line in said:
        assumed(line)
    documents, unknowns = _judge_all(server, tree, chosen, settings, told)
    return CheckDocument(
        verdict=_verdict(documents, unknowns),
        layout=tree.layout,
        root=_from_here(tree.root),
        server=f"{server.started.provider} {server.version}",
        assumed=said,
        revisions=documents,
        unknowns=unknowns,
        rows=settings.rows,
        like=settings.like,
        seconds=round(time.monotonic() - began, 3),
    )


def _prepare(server: CheckServer, mentioned: Mentioned, settings: CheckSettings) -> list[str]:
    """Make what the tree takes for granted; what was made, in words."""
    said = [f"on {server.started.provider} Postgres {server.version}"]
    lacking = sorted(mentioned.extensions - {name.lower() for name in available_extensions(server)})
    if lacking:
        raise InfrastructureError(
            f"this server has no extension {', '.join(lacking)}",
            hint="choose --server system or --server container, with it installed",
        )
    made = server.add_roles(mentioned.granted)
    if made:
        said.append(f"roles that no revision makes were made, without rights: {', '.join(made)}")
    if settings.baseline is not None:
        said.append(OWNERS)
    if settings.superuser:
        said.append("the tree runs as a superuser, as was said")
    return said


def _judge_all(
    server: CheckServer, tree: ForeignTree, chosen: Selection, settings: CheckSettings, told: Told
) -> tuple[list[RevisionDocument], list[str]]:
    sender = Sender(tree.account, server.psql)
    rows = Rows(settings.rows, settings.seed, tree.account.names)
    current = server.make()
    if settings.baseline is not None:
        restore_dump(server, current, settings.baseline)
    install_account(server, current, tree)
    if settings.baseline is None:
        apply_earlier(server, sender, tree, current, chosen.baseline)
    own = tree.account.names
    bare = BareChain(server, sender, current) if settings.rows else None
    judges = Judges(
        server, sender, rows, own, {*ANONYMOUS, *settings.anonymous}, _growth(settings, own), bare
    )
    documents, unknowns = [], []
    known: DatabaseState | None = None
    for number, revision in enumerate(chosen.judged, 1):
        found = judge(judges, revision, current, known)
        known = found.state
        documents.append(found.document)
        unknowns += [f"{revision.name}: {why}" for why in found.unknown]
        if found.after is not None:
            server.drop(current)
            current = found.after
            if bare is not None and found.document.verdict != "unknown":
                bare.follow(revision)
        told(revision.name, number, len(chosen.judged))
    unknowns += [f"{name} has no rows: {why}" for name, why in sorted(rows.unfilled.items())]
    return documents, unknowns


def _growth(settings: CheckSettings, without: tuple[str, ...]) -> Growth | None:
    if settings.like is None:
        return None
    if not settings.rows:
        raise UsageError("--like needs rows to measure with", hint="give --rows 1000, or more")
    return Growth(settings.rows, settings.like, settings.seed, without)


def _from_here(path: Path) -> str:
    """A path as one writes it from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _verdict(documents: list[RevisionDocument], unknowns: list[str]) -> Word:
    if not documents:
        return "unknown"
    words = {one.verdict for one in documents}
    if "fail" in words:
        return "fail"
    return "unknown" if unknowns or "unknown" in words else "pass"
