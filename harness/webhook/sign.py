"""Sign a webhook as Standard Webhooks 1.0 has it: HMAC-SHA256 of id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST, LONGEST = 24, 64
"""How many bytes a secret has, by the standard."""


def read_secret(text: str) -> bytes | None:
    """The key that a text spells; None for one of another shape. The text is in no message."""
    try:
        key = base64.b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if SHORTEST <= len(key) <= LONGEST else None


def headers(keys: Sequence[bytes], id: str, body: bytes, now: int) -> dict[str, str]:  # noqa: A002 - the standard's word
    """The three headers. With several keys there are several signatures: a key is being changed."""
    signed = f"{id}.{now}.".encode() + body
    signatures = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    spelled = [f"v1,{base64.b64encode(one).decode()}" for one in signatures]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(spelled),
    }
