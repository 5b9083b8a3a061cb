"""Counts wrong passwords by client and minute, to decide which are answered 429 and which are logged."""

import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

SECONDS: Final = 60.0
"""Seconds over which wrong passwords are counted together."""
PER_CLIENT: Final = 10
"""Wrong passwords of one client in a window; further ones are answered 429."""
OVERALL: Final = 100
"""Wrong passwords of all clients in a window: one attacker may use many addresses."""
LINES: Final = 20
"""Most log lines in a window."""
CLIENTS: Final = 1000
"""Clients with a counter of their own in a window; later ones share one, which bounds the memory."""


class Failure(NamedTuple):
    """A wrong password."""

    client: str
    """Address, or network for IPv6."""
    of_client: int
    """Wrong passwords of this client in this window, this one included."""
    overall: int
    """Wrong passwords of all clients in this window."""
    retry_after: float | None
    """Seconds until the window ends, if there were too many in it."""
    is_logged: bool
    """Whether to log it: the client's first, tenth, hundredth... in the window."""


class FailedLogins:
    """The counters of the current window. Not thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock()
        self._by_client: Counter[str] = Counter()
        self._lines = 0

    def add(self, address: str) -> Failure:
        """Count a wrong password of a client."""
        now = self._clock()
        if now >= self._ends:
            self._ends, self._by_client, self._lines = now + SECONDS, Counter(), 0
        client = client_of(address)
        if client not in self._by_client and len(self._by_client) >= CLIENTS:
            client = "others"
        self._by_client[client] += 1
        count, overall = self._by_client[client], self._by_client.total()
        is_logged = str(count).strip("0") == "1" and self._lines < LINES
        self._lines += is_logged
        too_many = count > PER_CLIENT or overall > OVERALL
        return Failure(client, count, overall, self._ends - now if too_many else None, is_logged)


def client_of(address: str) -> str:
    """The key of a client's counter: its IPv4 address, or its IPv6 /64, any address of which one client can use."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
