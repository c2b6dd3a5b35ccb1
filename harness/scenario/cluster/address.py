"""Which schedulers are talked to: a scheduler runs what it is sent, so nobody else may send."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from importlib import import_module
from ipaddress import ip_address
from typing import Any, Final, TypeAlias
from urllib.error import HTTPError
from urllib.request import urlopen

from harness.core.errors import InfrastructureError, UsageError
from harness.core.extras import require_extra

Client: TypeAlias = Any
"""A distributed.Client: the library's types are partial, and it is an extra."""
TIMEOUT: Final = 60.0  # seconds for a scheduler to answer, on a busy machine too
FORM: Final = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\[[0-9a-fA-F:]+\]|[^:/\[\]]+):(?P<port>[0-9]{1,5})"
)
TLS: Final = ("ca-file", "client.cert", "client.key")
SAFE: Final = "use tls://HOST:PORT with client certificates, or a scheduler on loopback"


def check_address(address: str) -> str:
    """The address with its scheme; UsageError where others could send tasks there."""
    found = FORM.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise UsageError(
            f"--scheduler takes HOST:PORT, not {address!r}", hint="such as tcp://127.0.0.1:8786"
        )
    scheme = found["scheme"] or "tcp"
    if scheme == "tls":
        return address
    if scheme != "tcp":
        raise UsageError(f"the scheme {scheme!r} is neither tcp nor tls", hint=SAFE)
    if not is_loopback(found["host"]):
        raise UsageError(
            f"{address} is reached without TLS: whoever reaches it runs code on every worker",
            hint=SAFE,
        )
    return f"tcp://{found['host']}:{found['port']}"


def is_loopback(host: str) -> bool:
    """Whether a name or number is this machine's own, whatever a resolver says."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of the scheduler.

    Raises UsageError for an address that is not safe, InfrastructureError without the extra, and
    where the scheduler is away or lets others in.
    """
    address = check_address(address)
    require_extra("cluster", "--scheduler")
    library: Any = import_module("distributed")
    security = _security(address)
    try:
        client = library.Client(address, timeout=TIMEOUT, security=security, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InfrastructureError(
            f"no scheduler answers at {address}: {type(error).__name__}",
            hint="start one with: dask scheduler --no-dashboard --host 127.0.0.1",
        ) from error
    try:
        _refuse_open(client, address)
        yield client
    finally:
        client.close(timeout=TIMEOUT)


def _security(address: str) -> Any:
    """The certificates that dask's configuration names; UsageError where TLS has none."""
    if not address.startswith("tls://"):
        return None
    config: Any = import_module("dask.config")
    missing = [key for key in TLS if not config.get(f"distributed.comm.tls.{key}", None)]
    if missing:
        variable = missing[0].upper().replace(".", "__").replace("-", "_")
        raise UsageError(
            f"there is no {missing[0]} for {address}",
            hint=f"name the file in DASK_DISTRIBUTED__COMM__TLS__{variable}",
        )
    library: Any = import_module("distributed")
    return library.Security(require_encryption=True)


def _refuse_open(client: Client, address: str) -> None:
    port = (client.scheduler_info().get("services") or {}).get("dashboard")
    found = FORM.fullmatch(address)
    if port and found is not None and _shows_dashboard(f"http://{found['host']}:{port}/status"):
        raise InfrastructureError(
            f"the scheduler at {address} has its dashboard on, which anybody may read",
            hint="start it with --no-dashboard",
        )
    if not address.startswith("tls://"):
        refuse_remote(client.nthreads())


def _shows_dashboard(url: str) -> bool:
    """Whether the page is there: a scheduler names the port even where only its health is told."""
    try:
        with urlopen(url, timeout=TIMEOUT):  # noqa: S310 - http, to the scheduler's own host
            return True
    except HTTPError as error:
        return error.code != HTTPStatus.NOT_FOUND
    except OSError:
        return False


def refuse_remote(workers: Iterable[str]) -> None:
    """Refuse workers that are reached without TLS on another machine."""
    for worker in workers:
        try:
            check_address(worker)
        except UsageError as error:
            raise InfrastructureError(f"a worker is not safe: {error.message}", hint=SAFE) from None
