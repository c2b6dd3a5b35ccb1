"""live.json: a migration and its way back under traffic, and what its users met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from harness.core.finding import Finding
from harness.document.base import Document, Word
from harness.document.shard import ShardDocument

Unset = msgspec.UnsetType
UNSET: Final = msgspec.UNSET


class LatencyDocument(Document, frozen=True, kw_only=True):
    """Latencies of `n` operations in milliseconds, counted from when each was due."""

    n: int
    p50: float
    p99: float
    longest: float
    lag_p99: float
    rate: float
    histogram: str = ""


class LatenciesDocument(Document, frozen=True, kw_only=True):
    """The latencies before, forward, on the way back, and while batches were at work.

    Only the last decide. `why` says why they do not, or what is wrong.
    """

    verdict: Word
    why: str = ""
    control: LatencyDocument
    forward: LatencyDocument | None = None
    rollback: LatencyDocument | None = None
    batches: LatencyDocument | None = None


class ThroughputDocument(Document, frozen=True, kw_only=True):
    """Operations a second of clients that send as soon as they are answered.

    `share` is the worse of forward and rollback, of what was done before and after; `n` operations
    were done during the runs. `beside` is what is done without a migration while one session
    computes and commits. Unknown, which holds nothing back, has its reason in `why`.
    """

    verdict: Word
    why: str = ""
    before: float
    beside: float
    after: float
    forward: float | None = None
    rollback: float | None = None
    share: float | None = None
    n: int = 0
    slowest: str = ""


class NewClientsDocument(Document, frozen=True, kw_only=True):
    """What new clients did from the way forward on; not applicable where the subject has none."""

    applicable: bool
    why: str = ""
    operations: int = 0
    acknowledged: int = 0
    refused: int = 0
    writes_acknowledged: int = 0


class RateDocument(Document, frozen=True, kw_only=True):
    """Operations a second: asked, borne, and what was tried: the rate and its sending lag in ms."""

    asked: float
    borne: float | None
    tried: Sequence[tuple[float, float]]


class VictimDocument(Document, frozen=True, kw_only=True):
    """An operation that waited for a lock, in milliseconds by the log and by the client.

    `starved_ms` is how long whoever held the lock had no core meanwhile, where that can be seen.
    """

    direction: str
    step: str
    client: int
    operation: str
    kind: str
    waited_ms: float
    took_ms: float | None
    lock: str
    blocker: str
    behind: str
    by_runner: bool
    starved_ms: float = 0.0


class LiveStepDocument(Document, frozen=True, kw_only=True):
    """A step in one direction: how many operations it met, and what became of them."""

    direction: str
    step: str
    kind: str
    seconds: float
    operations: int
    loaded: bool
    refused: Mapping[str, int]
    refused_new: Mapping[str, int] = {}
    victims: int
    waited_ms: float
    killed: bool


class StrikeDocument(Document, frozen=True, kw_only=True):
    """A kill: of the runner or of the server, in which step, and whether it happened."""

    round: int
    direction: str
    step: str
    victim: str
    fired: bool


class HistoryDocument(Document, frozen=True, kw_only=True):
    """The history: its file, one for elle-cli, and its counts."""

    verdict: Word
    file: str
    elle: str
    counts: Mapping[str, int]
    tables: Sequence[str]


class LivePlanDocument(Document, frozen=True, kw_only=True):
    """Which plan."""

    name: str
    version: str
    hash: str


class LiveMomentDocument(Document, frozen=True, kw_only=True):
    """What was due in a part of a second: how many operations, how long they took at most, in ms.

    `at` are seconds since the clients began.
    """

    at: float
    answered: int
    refused: int
    p50: float
    longest: float


class LiveSpanDocument(Document, frozen=True, kw_only=True):
    """When a step was at work, in seconds since the clients began."""

    direction: str
    step: str
    kind: str
    begun: float
    done: float
    killed: bool


class LiveSeriesDocument(Document, frozen=True, kw_only=True):
    """A run under traffic over time, for a picture: moments of `width` seconds, and the steps."""

    width: float
    moments: Sequence[LiveMomentDocument]
    spans: Sequence[LiveSpanDocument]


class LiveDocument(Document, frozen=True, kw_only=True):
    """A whole run under traffic."""

    verdict: Word
    history: HistoryDocument
    victims: Sequence[VictimDocument]
    latency: LatenciesDocument
    findings: Sequence[Finding]
    unknowns: Sequence[str]
    steps: Sequence[LiveStepDocument]
    kills: Sequence[StrikeDocument]
    rate: RateDocument
    role: str | None
    promised: bool
    rounds: int
    rows: int
    seed: int
    max_wait_ms: float
    plan: LivePlanDocument
    server: str
    seconds: float
    series: LiveSeriesDocument | None = None
    shard: ShardDocument | Unset = UNSET
    postgres: int | Unset = UNSET
    tool_hash: str | Unset = UNSET
    throughput: ThroughputDocument | None = None
    new_clients: NewClientsDocument | None = None
