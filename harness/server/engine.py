"""The container engine: whether one answers, and which image can be had. Imports nothing heavy
until asked.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.core.errors import InfrastructureError

if TYPE_CHECKING:
    from docker import DockerClient  # type: ignore[import-untyped]

OFFICIAL: Final = "postgres"
OURS: Final = "migration-harness/postgres"
PREFERRED: Final = (17, 15, 16, 18)
"""Major versions to look for when none was asked for."""

_SOCKETS: Final = (
    Path("/var/run/docker.sock"),
    Path.home() / ".docker" / "run" / "docker.sock",
)
PULL_SILENCE: Final = 20
"""Seconds a pull may say nothing before it is given up."""


def settle_environment() -> None:
    """What testcontainers reads on import: our reaper in place of its own, and loopback only."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    os.environ.setdefault("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")


@contextlib.contextmanager
def connected() -> Iterator[DockerClient]:
    """A client of an engine that answers; testcontainers finds it, contexts included."""
    if not _may_answer():
        raise InfrastructureError(
            "no container engine answers", hint="start one, or take --server embedded or system"
        )
    settle_environment()
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from requests.exceptions import RequestException
    from testcontainers.core.docker_client import DockerClient as Finder

    try:
        client: DockerClient = Finder().client
    except DockerException as error:
        raise InfrastructureError(
            f"no container engine answers: {_first_line(error)}",
            hint="start it, or --server embedded",
        ) from None
    try:
        client.ping()
        yield client
    except (DockerException, RequestException) as error:
        raise InfrastructureError(
            f"the container engine: {_first_line(error)}", hint="look at it with docker info"
        ) from error
    finally:
        client.close()


def _may_answer() -> bool:
    """Whether anything points to an engine, so that a machine without one pays for no import."""
    host = os.environ.get("DOCKER_HOST") or _host_of_context()
    if host is None:
        return any(_listens(path) for path in _SOCKETS)
    return _listens(Path(host.removeprefix("unix://"))) if host.startswith("unix://") else True


def _host_of_context() -> str | None:
    """A sign that the current docker context names a host; testcontainers reads which."""
    try:
        settings = json.loads((Path.home() / ".docker" / "config.json").read_text())
    except (OSError, ValueError):
        return None
    context = settings.get("currentContext", "default")
    return None if context == "default" else f"context {context}"


def _listens(path: Path) -> bool:
    """Whether somebody listens on a socket; the file alone outlives its engine."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def image_for(client: DockerClient, version: int | None, wanted: str | None) -> str:
    """The image asked for, else a local one, official before ours, else official, pulled."""
    local = {tag for image in client.images.list() for tag in image.tags}
    if wanted:
        return wanted if _tagged(wanted) in local else pull(client, wanted)
    versions = (version,) if version else PREFERRED
    for major in versions:
        for repository in (OFFICIAL, OURS):
            if f"{repository}:{major}" in local:
                return f"{repository}:{major}"
    return pull(client, f"{OFFICIAL}:{versions[0]}")


def pull(client: DockerClient, image: str) -> str:
    """Pull an image; a registry that refuses or falls silent ends it, with the reason."""
    from docker import auth
    from requests.exceptions import RequestException

    repository, _, tag = _tagged(image).rpartition(":")
    header = auth.get_config_header(client.api, auth.resolve_repository_name(repository)[0])
    try:
        # Not docker's own pull(), which waits for ever for the first word.
        with client.api.post(
            f"{client.api.base_url}/v{client.api.api_version}/images/create",
            params={"fromImage": repository, "tag": tag},
            headers={"X-Registry-Auth": header} if header else {},
            stream=True,
            timeout=PULL_SILENCE,
        ) as response:
            failure = _failure(response.iter_lines())
    except RequestException as error:
        failure = _first_line(error)
    if failure:
        raise InfrastructureError(
            f"image {image} is not here and cannot be pulled: {failure}",
            hint="build or load one, or take --server embedded or system",
        )
    return image


def _failure(lines: Iterable[bytes]) -> str | None:
    """What went wrong, from the engine's account of a pull."""
    for line in lines:
        event = json.loads(line) if line.strip() else {}
        said = event.get("error") or (event.get("message") if len(event) == 1 else None)
        if said:
            return str(said)
    return None


def major_version(client: DockerClient, image: str) -> int:
    """The major version of an image, by its PG_MAJOR or else its tag."""
    variables = image_environment(client, image)
    match = re.match(r"\d+", variables.get("PG_MAJOR") or image.rpartition(":")[2])
    if match is None:
        raise InfrastructureError(
            f"image {image} does not say which Postgres it holds",
            hint="take an image of PostgreSQL",
        )
    return int(match[0])


def image_environment(client: DockerClient, image: str) -> dict[str, str]:
    """The environment variables that an image sets."""
    lines: list[str] = client.images.get(image).attrs["Config"]["Env"] or []
    return dict(line.split("=", 1) for line in lines)


def shares_memory(client: DockerClient) -> bool:
    """Whether the engine runs in this kernel and sees our tmpfs: not in a virtual machine, not
    remote.
    """
    info: dict[str, Any] = client.info()
    return bool(
        info.get("KernelVersion") == platform.release() and info.get("Name") == socket.gethostname()
    )


def _tagged(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
