"""Strike a runner that stands at a held moment, and say what was seen of it."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass, field

from harness.core.exit_status import ExitStatus
from harness.core.poll import wait_until
from harness.crash import runners
from harness.crash.domain.pinned.moments import AGAIN, SIDES, commit_of, pin_for
from harness.crash.model import END, START, Point
from harness.crash.run.cursor import order
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.crash.state import Oracle, settle
from harness.database import admin, ledger_view
from harness.fault import pin_standby, pins
from harness.fault.pins import PAUSE, HeldPin, PinMissed, Pinned, Target
from harness.fault.process import Ending, JobProcess
from harness.runner.outcome import Event
from harness.server import Server

ALONE = ("cancel", "terminate", "reconnect", "kill-runner")
TOGETHER = ("kill-backend", "kill-server")
"""cancel and terminate are the server's own, sent to the backend that stands there, and a runner
that lost its line gives up; with reconnect it is terminated too, and the same runner connects again
and must find out what became of its commit. kill-runner is SIGKILL of the runner, and another takes
over while the backend still stands. The last two take the whole server down, so several share it.
"""
WHILE_MENDING = ("terminate", "kill-server")
LIMIT = 60.0
PATIENT = {"lock_timeout": 120.0, "concurrent_lock_timeout": 120.0, "stall": 120.0}
"""[runner] of a run that is held: it must not go on before it is struck."""
RANGE = re.compile(r"range(\d+)\.")  # before the state of a range, in a commit of it
CRASHED = "all server processes terminated; reinitializing"


def faults(boundary: str) -> tuple[str, ...]:
    """The faults at a boundary; only a lost commit has an outcome that a runner must find out."""
    if boundary.startswith(AGAIN):
        return WHILE_MENDING
    commit = boundary.startswith(SIDES)
    return tuple(fault for fault in ALONE + TOGETHER if commit or fault != "reconnect")


@dataclass
class HeldRun:
    """One point, on a database of its own: arrange, strike, finish, and close in any case."""

    ground: Setup
    server: Server
    point: Point
    dsn: str
    _held: HeldPin | None = None
    _process: JobProcess | None = None
    _resumer: JobProcess | None = None
    _pinned: Pinned | None = None
    _ending: Ending | None = None
    fired: bool = False
    seen: list[str] = field(default_factory=list)

    def arrange(self) -> None:
        """Install the pin and run until the runner stands at it; PinMissed when it does not."""
        plan, point = self.ground.plan, self.point
        pin = pin_for(plan, point, lambda index: pins.table_of(self.dsn, index))
        self._held = HeldPin(self.dsn, pin)
        self._held.install()
        self._process = self._start(reconnect=30.0 if point.fault == "reconnect" else 0.0)
        try:
            self._pinned = self._held.reach(self._process.listen)
        except PinMissed as missed:
            raise PinMissed(f"{missed}: {self._process.kill()}") from None
        self.seen.append(f"server process {self.pid}: {self._pinned.evidence}")

    def _start(self, **settings: float) -> JobProcess:
        plan = self.ground.sweeping(**(PATIENT | settings))
        last = None if self.point.step in (START, END) else self._is_behind_step
        return runners.start(self.ground, self.point.direction, self.dsn, plan, last=last)

    def _is_behind_step(self, event: Event) -> bool:
        """Whether the point's step is done, by this runner or by another before it."""
        if event.kind == "step_done":
            return event.step == self.point.step
        steps = order(self.ground, self.point.direction)
        beyond = steps[steps.index(self.point.step) + 1 :]
        return event.kind == "step_started" and event.step in beyond

    @property
    def pid(self) -> int:
        """The backend that stands at the moment."""
        assert self._pinned is not None, "nothing is pinned yet"
        return self._pinned.pid

    @property
    def held(self) -> HeldPin:
        """The pin."""
        assert self._held is not None, "nothing is arranged yet"
        return self._held

    def strike(self) -> None:
        """Deliver a fault that leaves the server running, and see it arrive.

        Raises PinMissed for a fault of another name, and where the fault met nobody.
        """
        if self.point.boundary.startswith("after") and self.point.fault != "kill-runner":
            # It waits for a standby and no longer for us. Whoever goes on writes the run's row
            # again, and must not be held there too: no standby would ever let it go.
            self.held.release()
        match self.point.fault:
            case "cancel":
                self.held.call("cancel", self.pid)
                wait_until(self._moved_on, LIMIT, "the cancel to arrive", pause=PAUSE)
                self.struck("cancelled there")
            case "terminate" | "reconnect":
                self._terminate()
                self.struck("terminated there")
            case "kill-runner":
                self._kill_runner()
            case other:
                raise PinMissed(f"there is no fault {other!r} here")

    def struck(self, how: str) -> None:
        """Note that the fault was delivered while the backend stood at the moment."""
        self.fired = True
        self.seen.append(how)

    def _moved_on(self) -> bool:
        assert self._pinned is not None
        return not self.held.stands(self._pinned)

    def _terminate(self) -> None:
        self.held.call("terminate", self.pid)
        wait_until(lambda: not self.held.lives(self.pid), LIMIT, "the backend's end", pause=PAUSE)

    def _kill_runner(self) -> None:
        """SIGKILL the runner; another takes over while the first one's backend still stands."""
        assert self._process is not None
        self._process.kill()
        if self._moved_on():
            raise PinMissed("the orphan noticed the runner's death before another could take over")
        self.struck("SIGKILL of the runner, and the backend still there")
        if self.point.step == START:
            return self._stay_out()
        self._resumer = self._start(takeover=0.05, lock_wait=10.0)
        words = f"server process {self.pid} was ended"
        try:
            self._resumer.wait_told(lambda told: (told.kind, told.message) == ("takeover", words))
        except TimeoutError:
            ended = self._resumer.kill()
            raise PinMissed(f"the orphan was gone before it could be ended: {ended}") from None
        self.seen.append("another runner took over and ended it")
        return None

    def _stay_out(self) -> None:
        """Nothing says yet whose run it is, and the orphan holds the lock: nobody may go on."""
        self._resumer = self._start(lock_wait=0.05)
        self._ending = self._resumer.wait()
        if self._moved_on():
            raise PinMissed("the orphan noticed the runner's death before another tried")
        self.seen.append("another runner tried meanwhile")

    def let_go(self) -> Ending:
        """Release the pin and wait for the end of whoever runs."""
        self.held.release()
        if self._ending is not None and self.point.boundary.startswith("after"):
            self._terminate()  # the orphan: no standby will ever answer it
        process = self._resumer or self._process
        assert process is not None
        return self._ending or process.wait()

    def finish(self, oracle: Oracle, ending: Ending) -> FaultOutcome:
        """Judge what the fault left."""
        if self.point.fault in TOGETHER:
            self.held.renew()
        reasons = self._unexpected(ending) + self._misrecorded()
        self.held.remove()
        self.held.close()
        settle(self.server.dsn(), admin.dbname(self.dsn))
        judgement = oracle.judge(self.point.direction, self.dsn)
        reasons += [judgement.reason] if judgement.reason else []
        return FaultOutcome(
            self.fired,
            "; ".join(self.seen),
            tuple(reasons),
            judgement.state,
            (ending,),
            judgement.verdict,
        )

    def _unexpected(self, ending: Ending) -> list[str]:
        """Whether the run that was struck, or the one that took over, ended as it should."""
        self.seen.append(f"the runner ended with status {ending.status}")
        wanted = statuses(self.point)
        if ending.status in wanted:
            return []
        names = " or ".join(map(str, wanted))
        return [f"the runner ended with status {ending.status}, not {names}: {ending.error}"]

    def _misrecorded(self) -> list[str]:
        """Where nobody went on: the ledger must hold a commit that was made, and no other."""
        target = self.held.pin.target
        if target is None or self.point.fault not in ("terminate", *TOGETHER):
            return []
        made = target.side == "after"
        found = self._found(target) == (target.state, target.batches)
        there = "is in the ledger" if found else "is not in the ledger"
        self.seen.append(f"the checkpoint {there}")
        if found is made:
            return []
        return [f"struck {target.side} the commit record, the checkpoint {there}"]

    def _found(self, target: Target) -> tuple[str, int] | None:
        """State and batches of the step, or of the run itself, as the ledger has them."""
        conn = self.held.watcher
        run = ledger_view.last_run(conn) if ledger_view.has_ledger(conn) else None
        if run is None:
            return None
        if target.step == "(run)":
            return (run.state, 0) if run.direction == self.point.direction else None
        if ranged := RANGE.match(target.state):
            part = ledger_view.range_of(conn, run, target.step, int(ranged[1]))
            return None if part is None else (f"{ranged[0]}{part[0]}", part[1])
        step = ledger_view.steps_of(conn, run).get(target.step)
        return (step.state, step.batches) if step else None

    def leave(self) -> None:
        """End what still runs, and keep the database."""
        for process in (self._process, self._resumer):
            if process is not None:
                process.close()
        if self._held is not None:
            self._held.close()

    def close(self) -> None:
        """End what still runs and drop the database."""
        self.leave()
        admin.drop(self.server.dsn(), admin.dbname(self.dsn))


def statuses(point: Point) -> tuple[int, ...]:
    """How the run may end: a cancelled one goes on, one that lost its line can be resumed."""
    outside = point.step in (START, END) and commit_of(point) is not None
    match point.fault:
        case "cancel":
            # outside the plan's steps there is nothing to repeat: it says so and can be resumed
            return (ExitStatus.DONE, ExitStatus.STOPPED) if outside else (ExitStatus.DONE,)
        case "kill-runner":
            return (ExitStatus.ANOTHER_RUNNER if point.step == START else ExitStatus.DONE,)
        case "reconnect":
            return (ExitStatus.DONE,)
    return (ExitStatus.STOPPED,)


def crash(server: Server, fault: str, victims: list[HeldRun]) -> None:
    """Bring the server down under every victim at once, and up again."""
    offset = server.log_offset()
    if fault == "kill-server":
        server.kill()
        words = "SIGKILL of every server process"
    else:
        _kill_backends(server, [victim.pid for victim in victims])
        server.wait_for_log(CRASHED, offset)
        words = "SIGKILL of this backend, and the server went through recovery"
    for victim in victims:
        victim.struck(words)
    server.start()
    server.wait_ready()
    pin_standby.await_unacknowledged(server.dsn())


def _kill_backends(server: Server, pids: list[int]) -> None:
    """SIGKILL all before the postmaster sees the first of them dead and ends the others itself."""
    assert server.pid is not None, "the server runs here"
    os.kill(server.pid, signal.SIGSTOP)
    try:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    finally:
        os.kill(server.pid, signal.SIGCONT)
