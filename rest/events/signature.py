"""Signatures of webhooks, as the Standard Webhooks specification has them: HMAC-SHA256 with a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from binascii import Error

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a secret


def new_secret() -> str:
    """Make a secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """See that a secret can be used.

    Raises:
        ValueError: it is not of the specification's form.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(
            f"a secret is {PREFIX} followed by {SHORTEST} to {LONGEST} bytes in base64; leave it out to get one"
        )


def signed(secret: str, number: str, time: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sends a message, and when (Unix seconds)."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    content = f"{number}.{time}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": number, "webhook-timestamp": str(time), "webhook-signature": f"v1,{signature}"}
