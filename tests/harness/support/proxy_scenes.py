"""Scenes for the proxy's tests: a forked client is carried, struck, and what was seen is printed.

Run as a program: DSN, what to do, and at which message.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import Any

import psycopg

from harness.core.errors import Stopped
from harness.fault.process import JobProcess, Tell, fork
from harness.fault.proxy import Act, Partial, Proxy
from harness.fault.strikes import At, KillAt, MessageRecorder, SignalAt


def client(dsn: str) -> Any:
    """A client that inserts, with parameters, in a pipeline, and by COPY; then it reconnects."""

    def work(tell: Tell) -> Any:
        conn = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
        twice: list[int] = []

        def on_signal(*_: object) -> None:
            twice.append(1)
            if len(twice) == 2:
                threading.Thread(target=lambda: conn.cancel_safe(timeout=5)).start()

        signal.signal(signal.SIGTERM, on_signal)
        try:
            conn.execute("insert into t values (1)")
            conn.execute("insert into t values (%s)", [2])
            conn.execute("insert into t values (3)")
            with conn.cursor().copy("copy t from stdin") as copy:
                copy.write_row([4])
            conn.close()
        except psycopg.Error as error:
            tell("lost")
            try:
                psycopg.connect(dsn).close()
                tell("reconnected")
            except psycopg.Error:
                tell("refused")
            raise Stopped(str(error)) from error
        return "done"

    return work


def main(dsn: str, act: str, number: int) -> dict[str, Any]:
    """Play a scene and say what was seen."""
    with Proxy(dsn) as proxy, fork(client(proxy.dsn), close=proxy.descriptors) as process:
        strike = chosen(act, number, process, proxy)
        if act == "STALL":
            return stalled(dsn, proxy, process, strike)
        proxy.serve([process], strike)
        ending = process.wait()
        if isinstance(strike, MessageRecorder):
            trace = strike.trace
            return {
                "status": ending.status,
                "kinds": [one.kind for one in trace],
                "texts": [one.text for one in trace],
                "backends": sum(link.backend > 0 for link in proxy.links),
            }
        return {
            "status": ending.status,
            "met": strike.met.message.kind if strike.met else "",
            "reconnected": "reconnected" in process.told,
            "cancels": proxy.cancels,
            "nags": getattr(strike, "nags", 0),
        }


def chosen(act: str, number: int, process: JobProcess, proxy: Proxy) -> Any:
    """The strike of a name."""
    if act == "record":
        return MessageRecorder()
    if act == "KILL":
        return KillAt(number, Act.CUT, process=process)
    if act == "PARTIAL":
        return At(number, Partial(9))
    if act == "TWICE":
        return SignalAt(number, Act.PASS, process=process, seen=lambda: proxy.cancels > 0)
    return At(number, Act[act])


def stalled(dsn: str, proxy: Proxy, process: JobProcess, strike: Any) -> dict[str, Any]:
    """Whether, once the line is dead, the client hears anything, and the backend is still there."""
    proxy.serve([process], strike, until=lambda: strike.met is not None)
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(
            "select count(*) from pg_stat_activity where pid = %s", [proxy.links[0].backend]
        ).fetchone()
    process.listen()
    heard = bool(process.told) or process.has_ended()
    process.kill()
    return {"heard": heard, "backend_alive": row == (1,)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))))  # noqa: T201 - its answer
