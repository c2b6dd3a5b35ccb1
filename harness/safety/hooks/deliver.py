"""Deliver one hook: it is done when its receiver said so, and in bounded time."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import signal
import subprocess
from urllib.parse import unquote, urlsplit

import psycopg

from harness.core.child import dies_with_us
from harness.core.errors import HarnessError
from harness.core.poll import wait_until
from harness.database import admin
from harness.plan.hook_kinds import list_plugins
from harness.plan.hooks import Hook
from harness.safety.hooks.redis_keys import RedisFailed, forget_keys
from harness.server.secrets import redact

ATTEMPTS_WITHIN = 1.0
"""For how many seconds a hook that fails is tried again."""
SHOWN = 200


class DeliveryFailed(Exception):  # noqa: N818 - reads as what happened
    """A hook that was not delivered, with the reason; nothing secret is in it."""


def deliver(dsn: str, hook: Hook) -> None:
    """Deliver a hook, again where it fails at once; DeliveryFailed when nobody took it."""
    said: list[str] = []

    def attempt() -> bool:
        try:
            DELIVERIES.get(hook.kind, _hand_over)(dsn, hook)
        except DeliveryFailed as failed:
            said.append(str(failed))
            return False
        return True

    try:
        wait_until(attempt, ATTEMPTS_WITHIN, "the hook", pause=0.4)
    except TimeoutError:
        raise DeliveryFailed(f"{said[-1]}; {len(said)} attempts") from None


def _notify(dsn: str, hook: Hook) -> None:
    try:
        with admin.connection(dsn, connect_timeout=max(2, round(hook.timeout))) as conn:
            admin.writable(conn)
            conn.execute(f"SET statement_timeout = {max(1, round(hook.timeout * 1000))}".encode())
            conn.execute("SELECT pg_catalog.pg_notify(%s, %s)", [hook.target[0], hook.payload])
    except (HarnessError, psycopg.Error) as error:
        raise DeliveryFailed(redact(" ".join(str(error).split()))) from error


def masked_url(url: str) -> str:
    """A URL without what may be secret: who logs in, and the query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")
    user = "***@" if host[1] else ""
    return f"{parts.scheme}://{user}{host[2]}{parts.path}" + ("?***" if parts.query else "")


def _call(_dsn: str, hook: Hook) -> None:
    parts = urlsplit(hook.target[0])
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"User-Agent": "migration-harness"}
    if parts.username is not None:
        headers["Authorization"] = _basic(parts.username, parts.password or "")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        conn = kind(parts.hostname or "", parts.port, timeout=hook.timeout)
        with contextlib.closing(conn):
            conn.request(hook.method, path, body=hook.payload.encode(), headers=headers)
            status = conn.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = type(error).__name__ if isinstance(error, ValueError) else str(error)
        raise DeliveryFailed(f"{masked_url(hook.target[0])}: {said or 'no answer'}") from error
    if not 200 <= status < 300:
        raise DeliveryFailed(f"{masked_url(hook.target[0])}: status {status}")


def _basic(user: str, password: str) -> str:
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _run(dsn: str, hook: Hook) -> None:
    """Run a program without a shell; the DSN stands in its environment only."""
    environment = {**os.environ, "HARNESS_DSN": dsn, "HARNESS_HOOK": hook.name}
    try:
        process = subprocess.Popen(
            list(hook.target),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=dies_with_us(),
        )
    except OSError as error:
        raise DeliveryFailed(f"{hook.target[0]}: {error.strerror}") from error
    try:
        _, said = process.communicate(hook.payload.encode(), timeout=hook.timeout)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise DeliveryFailed(f"{hook.target[0]}: no end within {hook.timeout:g} s") from None
    if process.returncode:
        words = redact(" ".join(said.decode(errors="replace").split()))[-SHOWN:]
        raise DeliveryFailed(f"{hook.target[0]}: exit status {process.returncode} {words}".strip())


def _forget(_dsn: str, hook: Hook) -> None:
    try:
        forget_keys(hook.target, hook.timeout)
    except RedisFailed as failed:
        raise DeliveryFailed(f"redis: {failed}") from failed


DELIVERIES = {"notify": _notify, "http": _call, "command": _run, "redis": _forget}


def _hand_over(dsn: str, hook: Hook) -> None:
    """Let the package deliver it that registered its kind; whatever it raises, nobody took it."""
    try:
        list_plugins()[hook.kind].deliver(dsn, hook)
    except DeliveryFailed:
        raise
    except Exception as error:  # whatever another package's code may raise
        said = redact(" ".join(str(error).split()))
        raise DeliveryFailed(f"{type(error).__name__}: {said}") from error
