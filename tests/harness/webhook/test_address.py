"""A webhook goes to a public address that was looked at, and nowhere else."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

import pytest

from harness.webhook import address
from harness.webhook.address import AddressRefused, refusal, resolve
from harness.webhook.endpoints import WebhookEndpoint
from harness.webhook.post import Poster
from harness.webhook.receiver import receiving
from tests.harness.support.webhooks import KEY, endpoint_of

REFUSED = {
    "127.0.0.1": "loopback", "::1": "loopback", "10.1.2.3": "private", "172.31.0.1": "private",
    "192.168.1.1": "private", "fd12::1": "private", "169.254.0.1": "link-local",
    "fe80::1": "link-local", "169.254.169.254": "a cloud's metadata",
    "fd00:ec2::254": "a cloud's metadata", "168.63.129.16": "a cloud's metadata",
    "0.0.0.1": "unspecified", "::": "unspecified", "224.0.0.1": "multicast", "ff02::1": "multicast",
    "255.255.255.255": "reserved", "100.64.0.1": "a carrier's", "4000::1": "reserved",
    "::ffff:127.0.0.1": "another spelling", "::127.0.0.1": "another spelling",
    "64:ff9b::7f00:1": "a translator's", "2002:7f00:1::": "a relay's", "2001::1": "reserved",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_public_is_refused(text: str) -> None:
    assert REFUSED[text] in refusal(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111"])
def test_what_is_public_is_sent_to(text: str) -> None:
    assert refusal(ipaddress.ip_address(text)) == ""


@pytest.mark.parametrize(
    "host", ["2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.1", "0", "1.1.1.1."]
)
def test_an_address_in_another_spelling_is_refused_loopback_or_not(host: str) -> None:
    with pytest.raises(AddressRefused, match="several ways"):
        resolve(host, 443, 5.0, allow_loopback=True)


def told(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A resolver that says something else each time; the names that it was asked for."""
    asked: list[str] = []

    def resolver(host: str, port: int, **_: Any) -> list[Any]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    # the one place at which the world outside is asked; connecting is real
    monkeypatch.setattr(address.socket, "getaddrinfo", resolver)
    return asked


def test_one_private_address_of_a_name_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, ["93.184.216.34", "10.0.0.7"])
    with pytest.raises(AddressRefused, match=r"hooks\.example, 10\.0\.0\.7, is private"):
        resolve("hooks.example", 443, 5.0)


def test_a_name_is_resolved_once_and_connected_to_as_resolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiving() as receiver:
        url = f"http://hooks.example:{receiver.port}/old"
        real = socket.getaddrinfo
        asked: list[str] = []

        def resolver(host: str, *rest: Any, **more: Any) -> Any:
            asked.append(host)
            first = host == "hooks.example" and asked.count(host) == 1
            return real("127.0.0.1" if first else host, *rest, **more)

        monkeypatch.setattr(address.socket, "getaddrinfo", resolver)
        poster = Poster(WebhookEndpoint("old", "old", url, (KEY,)), allow_loopback=True)
        assert [poster.post("msg_1", b"{}").answer for _ in "ab"] == ["delivered"] * 2
        poster.close()
    assert asked.count("hooks.example") == 1


def test_a_name_that_turns_to_loopback_is_refused_at_the_next_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiving() as receiver:
        told(monkeypatch, ["127.0.0.1"])
        poster = Poster(
            WebhookEndpoint("old", "old", f"https://rebound.example:{receiver.port}/", (KEY,))
        )
        posted = poster.post("msg_1", b"{}")
        poster.close()
    assert (posted.answer, receiver.seen) == ("busy", [])
    assert posted.said == "the address of rebound.example, 127.0.0.1, is loopback"


def test_plain_http_goes_to_loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, ["93.184.216.34"])
    poster = Poster(WebhookEndpoint("old", "old", "http://hooks.example/", (KEY,)))
    assert "is sent by https" in poster.post("msg_1", b"{}").said
    poster.close()


def test_a_redirect_to_an_address_inside_is_not_followed() -> None:
    where = (("Location", "http://169.254.169.254/latest/meta-data"),)
    with receiving(lambda *_: 307, headers=where) as receiver:
        poster = Poster(endpoint_of(receiver), allow_loopback=True)
        posted = poster.post("msg_1", b"{}")
        poster.close()
    assert posted.said == "status 307, a redirect: these are not followed"
    assert len(receiver.seen) == 1


def test_a_receiver_that_never_ends_its_answer_is_left_when_the_time_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        poster = Poster(
            WebhookEndpoint("old", "old", url, (KEY,), timeout=0.2), allow_loopback=True
        )
        posted = poster.post("msg_1", b"{}")
        poster.close()
    assert (posted.answer, posted.said) == ("busy", "no answer within 0.2 s")


def test_tls_is_told_the_name_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    hello: list[bytes] = []

    def listen(server: socket.socket) -> None:
        conn, _ = server.accept()
        with conn:
            hello.append(conn.recv(4096))

    real = socket.getaddrinfo
    monkeypatch.setattr(
        address.socket, "getaddrinfo", lambda _host, *a, **k: real("127.0.0.1", *a, **k)
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=listen, args=[server])
        thread.start()
        url = f"https://hooks.example:{server.getsockname()[1]}/"
        endpoint = WebhookEndpoint("old", "old", url, (KEY,), timeout=30.0)
        poster = Poster(endpoint, allow_loopback=True)
        posted = poster.post("msg_1", b"{}")
        poster.close()
        thread.join()
    assert posted.answer == "busy"
    assert b"hooks.example" in hello[0]
