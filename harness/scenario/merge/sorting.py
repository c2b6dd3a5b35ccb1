"""Which documents belong together, and which are lost, doubled or foreign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.document.shard import ShardDocument
from harness.scenario.merge.piece import Facts, Piece

HINT: Final = "run that shard again, on the same commit, plan, rows, seed and Postgres"
SHORT: Final = 16  # characters of a hash or of a list that a sentence shows


@dataclass
class Sorted:
    """Pieces that are merged into one document each, those turned away, and why, as findings."""

    groups: list[list[Piece]] = field(default_factory=list)
    turned_away: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def turn_away(self, number: int, piece: Piece, word: str, why: str) -> None:
        """Leave a piece out and say so."""
        self.turned_away[number] = why
        share = f"shard {piece.shard}" if piece.shard else "the whole"
        self.findings.append(_finding(piece.kind, word, piece.name, f"{share} is {word}: {why}"))

    def lose(self, kind: str, number: int, of: int) -> None:
        """Say that a shard is not there."""
        message = f"shard {number}/{of} is lost: no document of it was given"
        self.findings.append(_finding(kind, "lost", f"{kind} {number}/{of}", message))


def _finding(kind: str, word: str, where: str, message: str) -> Finding:
    return Finding(f"merge.{kind}.{word}", "critical", where, f"{kind}: {message}", HINT)


def sort_pieces(pieces: Sequence[Piece]) -> Sorted:
    """Put shards of one whole together. UsageError when no two documents are of one plan."""
    found = Sorted()
    numbered = list(enumerate(pieces))
    shared = _usual([piece.shared for piece in pieces])
    _refuse_unlike(pieces)
    for number, piece in numbered:
        if why := _difference(piece.shared, shared):
            found.turn_away(number, piece, "foreign", why)
    for kind in dict.fromkeys(piece.kind for piece in pieces):
        mine = [(n, p) for n, p in numbered if p.kind == kind and n not in found.turned_away]
        _sort_shards(found, [(n, p) for n, p in mine if p.shard])
        _sort_wholes(found, [(n, p) for n, p in mine if not p.shard])
    return found


def _refuse_unlike(pieces: Sequence[Piece]) -> None:
    """Two plans with as many documents each: nobody can say which of them is foreign."""
    counted = Counter(str(piece.shared["plan hash"]) for piece in pieces).most_common(2)
    if len(counted) == 2 and counted[0][1] == counted[1][1]:
        one, other = (
            next(piece.name for piece in pieces if str(piece.shared["plan hash"]) == plan)
            for plan, _ in counted
        )
        raise UsageError(
            f"{one} and {other} are of two plans, {counted[0][0][:12]} and {counted[1][0][:12]}",
            hint="merge documents of one plan: these have nothing to do with each other",
        )


def _sort_shards(found: Sorted, shards: Sequence[tuple[int, Piece]]) -> None:
    if not shards:
        return
    own = _usual([_of_share(piece) for _, piece in shards])
    there: dict[int, Piece] = {}
    for number, piece in shards:
        assert piece.shard is not None, "it is a shard"
        if why := _difference(_of_share(piece), own):
            found.turn_away(number, piece, "foreign", why)
        elif not 1 <= piece.shard.index <= piece.shard.of:
            found.turn_away(number, piece, "foreign", "there is no such shard")
        elif piece.shard.index in there:
            other = there[piece.shard.index].name
            found.turn_away(number, piece, "doubled", f"{other} is the same shard")
        else:
            there[piece.shard.index] = piece
    kind, of = shards[0][1].kind, own["number of shards"]
    for index in range(1, of + 1):
        if index not in there:
            found.lose(kind, index, of)
    if there:
        found.groups.append([there[index] for index in sorted(there)])


def _of_share(piece: Piece) -> Facts:
    """What the shards of one whole have in common."""
    shard: ShardDocument | None = piece.shard
    assert shard is not None, "it is a shard"
    return {
        "number of shards": shard.of,
        **piece.own,
        "measured costs": shard.costs,
        "whole": tuple(shard.whole),
    }


def _sort_wholes(found: Sorted, wholes: Sequence[tuple[int, Piece]]) -> None:
    """Each is merged with nothing; a second one of the same is one too many."""
    there = {_cell(group[0]): group[0].name for group in found.groups}
    for number, piece in wholes:
        if (cell := _cell(piece)) in there:
            found.turn_away(number, piece, "doubled", f"{there[cell]} is the same")
        else:
            there[cell] = piece.name
            found.groups.append([piece])


def _cell(piece: Piece) -> tuple[Any, ...]:
    """Of gates there is one for each server, version and number of rows; else one alone."""
    if piece.kind != "gate":
        return (piece.kind,)
    return (piece.kind, *(piece.own[name] for name in ("server", "postgres", "rows")))


def _usual(facts: Sequence[Facts]) -> Mapping[str, Any]:
    """What most say; of as many the first."""
    keys = [repr(sorted(one.items(), key=str)) for one in facts]
    usual, _ = Counter(keys).most_common(1)[0]
    return facts[keys.index(usual)]


def _difference(facts: Facts, usual: Facts) -> str:
    """The first thing that is other than usual, in words; empty when nothing is."""
    return next(_differing(facts, usual), "")


def _differing(facts: Facts, usual: Facts) -> Iterator[str]:
    for name, value in facts.items():
        if value == usual[name]:
            continue
        if name == "whole":
            yield f"it is part of another whole of {len(value)} parts, the others have other parts"
        yield f"{name} is {_shown(value)}, that of the others {_shown(usual[name])}"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
