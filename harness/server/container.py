"""A server in a container, made by testcontainers, then found by its name: any process can attach
to it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.core.errors import InfrastructureError, UsageError
from harness.core.poll import wait_until
from harness.server import directories, engine, logfile, port, profile, registry
from harness.server.dsn import url
from harness.server.protocol import Capabilities, Record, StopMode
from harness.server.readiness import answers, wait_for

if TYPE_CHECKING:
    from docker.models.containers import Container  # type: ignore[import-untyped]

USER: Final = "postgres"
PORT: Final = 5432
LABEL: Final = "migration-harness.id"
START_TIMEOUT: Final = 120.0
INITDB: Final = "--locale=C --lc-ctype=C.UTF-8 --data-checksums --no-sync"
_PORT_TAKEN: Final = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
_STOP_SIGNAL: Final = {"smart": "SIGTERM", "fast": "SIGINT", "immediate": "SIGQUIT"}


class ContainerServer:
    """A container of ours. Its port on 127.0.0.1 is asked for anew after each start."""

    provider = "container"
    data_dir: Path | None = None
    bin_dir: Path | None = None

    def __init__(self, record: Record) -> None:
        self._record = record
        self.why: str = record["why"]
        self.passed_over: tuple[str, ...] = tuple(record["passed_over"])
        self.version: int = record["version"]
        self.profile: str = record["profile"]
        self.image: str = record["image"]
        self.name: str = record["name"]

    @property
    def capabilities(self) -> Capabilities:
        """It can be killed and started; its files are the container's."""
        return Capabilities(True, True, on_tmpfs=bool(self._record["home"]), local_files=False)

    @property
    def pid(self) -> int | None:
        """The postmaster's pid, where the engine's processes are in our process table."""
        if not self._record["same_kernel"]:
            return None
        with self._container() as container:
            if container is None or container.status != "running":
                return None
            return int(container.attrs["State"]["Pid"]) or None

    def start(self) -> None:
        """Create the container (first time) or start it, return when Postgres answers."""
        with self._container() as container:
            if container is None:
                self._create()
            elif container.status != "running":
                container.start()
        self._learn_port()
        self.wait_ready()

    def _create(self) -> None:
        """Create and start; with another port when the one reserved turns out to be taken."""
        from docker.errors import APIError  # type: ignore[import-untyped]

        for _ in range(5):
            try:
                self._run()
            except APIError as error:
                self._remove()
                if not _PORT_TAKEN.search(str(error)):
                    raise
                self._record = port.reserve(self._record, avoid=self._record["port"])
            else:
                return
        raise InfrastructureError(
            f"no free port found for a container of {self.image}",
            hint="stop what listens on this machine's ports",
        )

    def _run(self) -> None:
        engine.settle_environment()
        from testcontainers.community.postgres import PostgresContainer

        class Postgres(PostgresContainer):
            """Asked from outside, over the mapped port: sooner than by psql once a second."""

            def _connect(self) -> None:
                pass

        made = Postgres(self.image, username=USER, password=self._record["password"], dbname=USER)
        made.with_name(self.name).with_env("POSTGRES_INITDB_ARGS", INITDB)
        made.with_command(["postgres", *self._arguments()])
        # The engine takes an address with the port; testcontainers passes it on, untyped.
        ports: dict[str, Any] = made.ports
        ports[str(PORT)] = ("127.0.0.1", self._record["port"])
        made.with_kwargs(labels={LABEL: self._record["id"]}, stop_signal="SIGINT")
        if self._record["home"]:
            home = Path(self._record["home"])
            if not home.exists():
                directories.make_home(home.parent, home.name)
                (home / "data").mkdir(mode=0o700)
            made.with_volume_mapping(home / "data", self._record["pgdata"], "rw")
        try:
            made.start()
        finally:
            made.get_docker_client().client.close()

    def _arguments(self) -> list[str]:
        return profile.as_arguments({**profile.settings(self.profile), "listen_addresses": "*"})

    def _learn_port(self) -> None:
        """The mapped port, which may be a new one after each start; empty until the engine has made
        it.
        """

        def mapped() -> int | None:
            with self._container() as container:
                if container is None or container.status != "running":
                    self._say_why_not()
                    return None
                bindings = container.ports.get(f"{PORT}/tcp") or []
                return int(bindings[0]["HostPort"]) if bindings else None

        found = wait_until(mapped, 30, f"container {self.name} to have a port", pause=0.02)
        if found != self._record["port"]:
            self._record = {**self._record, "port": found}
            registry.save(self._record)

    def _say_why_not(self) -> None:
        raise InfrastructureError(
            f"container {self.name} of {self.image} ended",
            hint="it said: " + " | ".join(self.log().strip().splitlines()[-4:]),
        )

    def wait_ready(self, timeout: float = START_TIMEOUT) -> None:
        """Return when it answers a query over the mapped port."""

        def ready() -> bool:
            if answers(self.dsn()) is not None:
                return True
            with self._container() as container:
                if container is None or container.status != "running":
                    self._say_why_not()
            return False

        wait_for(self.dsn(), ready, timeout, f"container {self.name} to answer", pause=0.02)

    def stop(self, mode: StopMode = "fast") -> None:
        """Signal the postmaster, the first process of the container, and wait; the data stay."""
        self._end(_STOP_SIGNAL[mode])

    def kill(self) -> None:
        """SIGKILL: the kernel kills every process of the container with its first."""
        self._end("SIGKILL")

    def _end(self, signal: str) -> None:
        from docker.errors import APIError

        with self._container() as container:
            if container is None or container.status != "running":
                return
            with contextlib.suppress(APIError):  # it ended in between
                container.kill(signal=signal)
            container.wait(timeout=60)

    def restart(self) -> None:
        """Stop it if it runs, start it; the DSN may be a new one."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Remove the container, its volume, its data directory and its record."""
        self._remove()
        if self._record["home"]:
            self._erase(Path(self._record["home"]))
        registry.forget(self._record["id"])

    def _remove(self) -> None:
        with self._container() as container:
            if container is not None:
                container.remove(force=True, v=True)

    def _erase(self, home: Path) -> None:
        """Remove the data; those of the container's uid with the container's rights."""
        shutil.rmtree(home, ignore_errors=True)
        if home.exists():
            with engine.connected() as client:
                client.containers.run(
                    self.image, ["-rf", "/home-of-server/data"], entrypoint="rm", remove=True,
                    volumes={str(home): {"bind": "/home-of-server", "mode": "rw"}},
                )  # fmt: skip
            shutil.rmtree(home, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty: a sibling has a server there
            home.parent.rmdir()

    def dsn(self, dbname: str = "postgres") -> str:
        """A URL over the mapped port."""
        return url("127.0.0.1", self._record["port"], USER, self._record["password"], dbname)

    def log(self, offset: int = 0) -> str:
        """The container's output from a byte offset on."""
        return self._output()[offset:].decode("utf-8", "replace")

    def log_offset(self) -> int:
        """The length of the container's output."""
        return len(self._output())

    def _output(self) -> bytes:
        with self._container() as container:
            return bytes(container.logs()) if container is not None else b""

    def wait_for_log(self, pattern: str, offset: int = 0, timeout: float = 30.0) -> str:
        """Wait until a regular expression is found behind `offset`; return the match."""
        return logfile.search(self.log, pattern, offset, timeout)

    def record(self) -> Record:
        """What `attach` needs."""
        return dict(self._record)

    @contextlib.contextmanager
    def _container(self) -> Iterator[Container | None]:
        from docker.errors import NotFound

        with engine.connected() as client:
            try:
                container = client.containers.get(self.name)
            except NotFound:
                container = None
            yield container


def create(
    *, version: int | None, image: str | None, profile_name: str, why: str,
    passed_over: tuple[str, ...], owner_pid: int | None,
) -> ContainerServer:  # fmt: skip
    """A server in a container, recorded but not started; raises with the reason when it cannot be
    had.
    """
    with engine.connected() as client:
        chosen = engine.image_for(client, version, image)
        major = engine.major_version(client, chosen)
        if version not in (None, major):
            raise UsageError(
                f"image {chosen} holds Postgres {major}, not {version}",
                hint="name another --pg-image, or leave --pg-version out",
            )
        variables = engine.image_environment(client, chosen)
        same_kernel = engine.shares_memory(client)
    identifier = registry.new_id()
    root, on_tmpfs = directories.data_root()
    use_memory = same_kernel and on_tmpfs
    record: dict[str, Any] = {
        "id": identifier, "kind": "container", "provider": "container", "image": chosen,
        "why": f"{why} ({chosen})", "passed_over": list(passed_over), "version": major,
        "profile": profile_name, "owner": registry.owner(owner_pid),
        "name": f"migration-harness-{os.geteuid()}-{identifier}",
        "home": str(root.resolve() / identifier) if use_memory else None,
        "pgdata": variables.get("PGDATA", "/var/lib/postgresql/data"),
        "same_kernel": same_kernel, "password": secrets.token_urlsafe(18),
    }  # fmt: skip
    return ContainerServer(port.reserve(record))
