"""TLS towards Redis and RabbitMQ: whom to trust, what to show, and what to say when it fails."""

from __future__ import annotations

import ssl


def client_context(ca: str, cert: str) -> ssl.SSLContext:
    """A context that checks certificates and host names; Python's default has TLS 1.2 as its least.

    Args:
        ca: file of the authorities to trust, and no others; empty: the system's.
        cert: file of a certificate with its key to show to the server; empty: none.

    Raises:
        OSError: a file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca or None)
    if cert:
        context.load_cert_chain(cert)
    return context


def why(error: BaseException) -> str:
    """The cause of a failed connection in a few words, dug out of what libraries wrap around it."""
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in seen:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted ({found.verify_message})"
        if isinstance(found, ssl.SSLError):
            return f"TLS failed ({found.reason or type(found).__name__})"
        seen.append(found)
        found = _inner(found)
    return str(error) or str(seen[-1]) or type(seen[-1]).__name__


def _inner(error: BaseException) -> BaseException | None:
    """What an error was raised from, or carries as its argument, as pika's do."""
    inside = [
        arg for arg in (*error.args, getattr(error, "exception", None)) if isinstance(arg, BaseException)
    ]
    return error.__cause__ or error.__context__ or (inside[0] if inside else None)
