"""Notifications to systemd (``Type=notify``): ready, stopping, alive. Without systemd nothing is sent."""

import os
import socket


def notify(state: str) -> None:
    """Send a state such as ``READY=1`` to the socket that systemd named; see sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        try:
            sender.connect("\0" + address[1:] if address.startswith("@") else address)
            sender.sendall(state.encode())
        except OSError:
            return  # systemd may be restarting, which must not stop the mirroring
