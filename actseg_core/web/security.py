"""Who may talk to the page's server: host, origin and token, and how often."""

import hmac
import ipaddress
from urllib.parse import urlsplit

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine and cannot be reached from another one."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def refused_host(host: str, local_only: bool) -> str:
    """Why a request's Host header is refused; empty if it is not.

    A foreign name that resolves to 127.0.0.1 (DNS rebinding) would pass every comparison of
    origin and host, so that a server for this machine answers under this machine's names only.

    Args:
        host: The header.
        local_only: Whether the server listens on a loopback address.
    """
    name = _host_name(host)
    if not name:
        return "the request names no host"
    if local_only and not is_loopback(name):
        return f"this page is for this machine only, as localhost, not as {name[:60]!r}"
    return ""


def refused_origin(origin: str | None, host: str) -> str:
    """Why a websocket is refused by its Origin header; empty if it is not.

    Args:
        origin: The header, None if there is none. Browsers always send it, and truthfully.
        host: The Host header.
    """
    if not origin:
        return "the websocket wants an Origin header, that of this page"
    try:
        parts = urlsplit(origin)
    except ValueError:
        return "the Origin header cannot be read"
    if parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower():
        return ""
    return f"pages of {origin[:60]!r} may not use this one"


def is_token(given: str, wanted: str) -> bool:
    """Whether a secret is the right one, in a time that tells nothing of it."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


class RateLimit:
    """A token bucket: so many at once, so many per second in the long run.

    Args:
        at_once: Events that may come together.
        per_s: Events per second [Hz].
    """

    def __init__(self, at_once: int, per_s: float) -> None:
        self._at_once, self._per_s = float(at_once), per_s
        self._left, self._at_s = float(at_once), 0.0

    def allows(self, now_s: float) -> bool:
        """Count one event; False if it is one too many.

        Args:
            now_s: Steady clock [s].
        """
        earned = max(0.0, now_s - self._at_s) * self._per_s
        self._left, self._at_s = min(self._at_once, self._left + earned), now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def _host_name(host: str) -> str:
    """The Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
