"""A scheduler runs what it is sent: only TLS with certificates, or loopback, is talked to."""

from __future__ import annotations

import pytest

from harness.core.errors import InfrastructureError, UsageError
from harness.scenario.cluster.address import check_address, connected, refuse_remote


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:8786", "localhost:8786", "[::1]:8786", "tls://scheduler.example:8786"],
)
def test_loopback_and_tls_are_talked_to(address: str) -> None:
    assert check_address(address).endswith(":8786")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://10.0.0.7:8786", "reached without TLS"),
        ("scheduler:8786", "reached without TLS"),
        ("127.0.0.1.evil.example:8786", "reached without TLS"),
        ("0.0.0.0:8786", "reached without TLS"),
        ("ws://127.0.0.1:8786", "neither tcp nor tls"),
        ("inproc://127.0.0.1:8786", "neither tcp nor tls"),
        ("127.0.0.1", "takes HOST:PORT"),
        ("127.0.0.1:99999", "takes HOST:PORT"),
        ("user@host:1/x", "takes HOST:PORT"),
        ("", "takes HOST:PORT"),
    ],
)
def test_what_others_could_reach_is_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_address(address)


def test_a_worker_elsewhere_without_tls_is_refused() -> None:
    refuse_remote(["tcp://127.0.0.1:4000", "tls://10.0.0.7:4000"])
    with pytest.raises(InfrastructureError, match="a worker is not safe"):
        refuse_remote(["tcp://127.0.0.1:4000", "tcp://10.0.0.7:4000"])


def test_tls_without_certificates_names_the_variable() -> None:
    said = "no ca-file.*DASK_DISTRIBUTED__COMM__TLS__CA_FILE"
    with pytest.raises(UsageError, match=said), connected("tls://127.0.0.1:1"):
        pass


def test_a_scheduler_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.scenario.cluster.address.TIMEOUT", 0.3)
    with (
        pytest.raises(InfrastructureError, match=r"no scheduler answers.*dask scheduler"),
        connected("tcp://127.0.0.1:1"),
    ):
        pass
