"""The faults of the wire: at which messages each makes sense, and how it is struck."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from psycopg.conninfo import make_conninfo

from harness.core.direction import Direction
from harness.core.exit_status import ExitStatus
from harness.crash import runners
from harness.crash.domain.wire.golden import WireMessage, signature
from harness.crash.model import END, START
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.fault.frames import ANSWERED
from harness.fault.process import Ending, JobProcess
from harness.fault.proxy import Act, Frame, Interceptor, Partial, Proxy
from harness.fault.strikes import At, Heard, HoldFirst, KillAt, PauseAt, SignalAt, ThenKill
from harness.runner import sql_comments

KILLED = -int(signal.SIGKILL)
GIVEN_UP = (ExitStatus.STOPPED,)  # INFRASTRUCTURE is for a runner that never had a connection
WENT_ON = (KILLED, ExitStatus.DONE)
TAKEN_OVER = (ExitStatus.ANOTHER_RUNNER,)
PROGRESS = ("batch", "step_done", "completed")
RACERS = 4  # that start at once
PATIENT = {"reconnect": 30.0}
WATCHFUL = {"reconnect": 30.0, "heartbeat": 0.05, "stall": 0.25}
IMPATIENT_RIVAL = {"heartbeat": 2.0, "lease": 0.05, "lock_wait": 5.0}


@dataclass
class WireScene:
    """What a fault is struck in: a database in a state, and the number of the message."""

    ground: Setup
    direction: Direction
    dsn: str
    number: int
    beat: WireMessage
    descriptors: tuple[int, ...] = ()
    rivals: list[Ending] = field(default_factory=list)


@dataclass(frozen=True)
class Fault:
    """A fault: where it makes sense, how a runner may end by it, whether it leaves the clone used.

    `spoils`: the run goes on after it, to the next checkpoint, so the state is always a new one.
    """

    name: str
    at: Callable[[WireMessage], bool]
    strike: Callable[[WireScene, Proxy, JobProcess], Interceptor]
    endings: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    spoils: bool = False

    @property
    def seconds(self) -> float:
        """What a point of it costs, about."""
        return 1.0 if self.spoils else 0.15


def always(beat: WireMessage) -> bool:
    """Every message."""
    return beat.place > 0


def answered(beat: WireMessage) -> bool:
    """Messages that the server answers, and the good-bye: the others wait for a Sync."""
    return beat.kind in ANSWERED - {"ssl", "gss"} or beat.kind == "X"


def at_turns(beat: WireMessage) -> bool:
    """The first message of a step, every fourth, and each that commits: where the same runner goes
    on after a blip; what the server has committed is the same at those between."""
    return answered(beat) and (beat.commits or beat.place % 4 == 1)


def in_step(beat: WireMessage) -> bool:
    """Messages within a step, answered."""
    return beat.step not in (START, END) and beat.kind in ("Q", "S")


def at_commit(beat: WireMessage) -> bool:
    """The message that commits, within a step."""
    return in_step(beat) and beat.commits


def logs_in(beat: WireMessage) -> bool:
    """Messages before there is a session: a runner that never had one has none to keep up."""
    return beat.kind in ("ssl", "gss", "startup", "p")


def heartbeatless(beat: WireMessage) -> bool:
    """Messages whose silence a runner must notice: in a good-bye nobody waits for an answer."""
    return beat.kind in ("Q", "S")


def part_of(beat: WireMessage) -> int:
    """How many bytes of a message get through: at least one, never all; by the message's name."""
    number = int.from_bytes(hashlib.sha256(f"{beat.step}{beat.boundary}".encode()).digest()[:4])
    return 1 + number % max(beat.size - 1, 1)


def _cut(scene: WireScene, _proxy: Proxy, _process: JobProcess) -> Interceptor:
    return At(scene.number, Act.CUT)


def _unheard(scene: WireScene, _proxy: Proxy, _process: JobProcess) -> Interceptor:
    return At(scene.number, Act.UNHEARD)


def _partial(scene: WireScene, _proxy: Proxy, _process: JobProcess) -> Interceptor:
    return At(scene.number, Partial(part_of(scene.beat)))


def _sigkill(scene: WireScene, _proxy: Proxy, process: JobProcess) -> Interceptor:
    return KillAt(scene.number, Act.CUT, process=process)


def _going_on(act: Act) -> Callable[[WireScene, Proxy, JobProcess], Interceptor]:
    def strike(scene: WireScene, _proxy: Proxy, process: JobProcess) -> Interceptor:
        first = At(scene.number, act)
        done: list[int] = []

        def enough() -> bool:
            process.listen()
            if not done:  # the first message after the strike: what was told before does not count
                done.append(sum(event.kind in PROGRESS for event in process.told))
                return False
            return sum(event.kind in PROGRESS for event in process.told) > done[0]

        return ThenKill(first, process, enough)

    return strike


def _signalled(number: int) -> Callable[[WireScene, Proxy, JobProcess], Interceptor]:
    def strike(scene: WireScene, _proxy: Proxy, process: JobProcess) -> Interceptor:
        return SignalAt(scene.number, Act.PASS, process=process, signal_number=number)

    return strike


def _twice(number: int) -> Callable[[WireScene, Proxy, JobProcess], Interceptor]:
    """The second signal is seen as the request to cancel what the first one only asked to end."""

    def strike(scene: WireScene, proxy: Proxy, process: JobProcess) -> Interceptor:
        return SignalAt(
            scene.number,
            Act.PASS,
            process=process,
            signal_number=number,
            seen=lambda: proxy.cancels > 0,
        )

    return strike


def _paused(scene: WireScene, proxy: Proxy, process: JobProcess) -> Interceptor:
    def another_takes_over() -> None:
        plan = scene.ground.sweeping(**IMPATIENT_RIVAL)
        close = proxy.descriptors
        with runners.start(scene.ground, scene.direction, scene.dsn, plan, close=close) as rival:
            scene.rivals.append(rival.wait())

    return PauseAt(scene.number, Act.PASS, process=process, meanwhile=another_takes_over)


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("cut", always, _cut, GIVEN_UP),
        Fault("unheard", answered, _unheard, GIVEN_UP),
        Fault("partial", always, _partial, GIVEN_UP),
        Fault("sigkill", always, _sigkill, (KILLED,)),
        Fault("sigterm", in_step, _signalled(signal.SIGTERM), GIVEN_UP),
        Fault("sigint", at_commit, _signalled(signal.SIGINT), GIVEN_UP),
        Fault("sigterm-twice", at_commit, _twice(signal.SIGTERM), GIVEN_UP),
        Fault("sigint-twice", at_commit, _twice(signal.SIGINT), GIVEN_UP),
        Fault("blip", at_turns, _going_on(Act.CUT_ONE), WENT_ON, PATIENT, spoils=True),
        Fault("blip-unheard", at_turns, _going_on(Act.UNHEARD_ONE), WENT_ON, PATIENT, spoils=True),
        Fault("stall", heartbeatless, _going_on(Act.STALL), WENT_ON, WATCHFUL, spoils=True),
        Fault("sigstop", at_commit, _paused, TAKEN_OVER, {"reconnect": 5.0}, spoils=True),
    )
}


def strike(scene: WireScene, name: str) -> FaultOutcome:
    """Run on the scene's database and strike once."""
    fault = FAULTS[name]
    plan = scene.ground.sweeping(**fault.settings)
    with Proxy(_hasty(scene.dsn) if fault.settings is WATCHFUL else scene.dsn, counts) as proxy:
        close = (*proxy.descriptors, *scene.descriptors)
        with runners.start(scene.ground, scene.direction, proxy.dsn, plan, close=close) as process:
            decision = fault.strike(scene, proxy, process)
            proxy.serve([process], decision)
            ending = process.wait()
    assert isinstance(decision, At | ThenKill)
    fired, evidence = recognised(decision.met, scene)
    told = f"runner ended with {ending.status}"
    return FaultOutcome(fired, f"{evidence}; {told}", endings=(ending, *scene.rivals))


def recognised(met: Frame | None, scene: WireScene) -> tuple[bool, str]:
    """Whether the message that was struck is the one of the point, and what to say of it.

    A beat without a signature is no message of the golden run: whatever is met there is met.
    """
    if met is None:
        return False, f"message {scene.number} was never sent"
    found = signature(Heard(met.message.kind, met.message.text, len(met.message.data), (), ""))
    if scene.beat.signature and found != scene.beat.signature:
        return False, f"message {scene.number} was {found}, not {scene.beat.signature}"
    return True, f"message {scene.number} {met.message.kind}"


def _hasty(dsn: str) -> str:
    """A stalled login is given up after the shortest time that libpq knows."""
    return make_conninfo(dsn, connect_timeout=2)


def counts(message: Any) -> bool:
    """Heartbeats and requests to cancel come when they come; everything else counts."""
    return message.kind != "cancel" and sql_comments.HEARTBEAT not in message.text


def race(scene: WireScene) -> FaultOutcome:
    """Several runners at once, and one that comes later: only one of all may work.

    The first to begin a step is held there, and only then the latecomer starts: whoever lets it in
    takes the run from the one at work. The last of the endings is the latecomer's.
    """
    plan = scene.ground.sweeping()
    with Proxy(scene.dsn) as proxy, ExitStack() as stack:

        def another(dsn: str) -> JobProcess:
            close = (*proxy.descriptors, *scene.descriptors)
            return stack.enter_context(
                runners.start(scene.ground, scene.direction, dsn, plan, close=close)
            )

        racers = [another(proxy.dsn) for _ in range(RACERS)]
        latecomers: list[JobProcess] = []

        def alone() -> bool:
            if not latecomers:
                latecomers.append(another(scene.dsn))
            latecomers[0].listen()  # else it would wait to be heard
            rivals = [*racers, *latecomers]
            return sum(rival.has_ended() for rival in rivals) >= len(rivals) - 1

        hold = HoldFirst(_begins_work, alone)
        proxy.serve(racers, hold)
        endings = tuple(racer.wait() for racer in (*racers, *latecomers))
    statuses = [ending.status for ending in endings]
    return FaultOutcome(hold.met is not None, f"runners ended with {statuses}", endings=endings)


def _begins_work(frame: Frame) -> bool:
    return sql_comments.AT_WORK in frame.message.text
