"""Free TCP ports on the loopback."""

import socket
import sys

LOOPBACK = "127.0.0.1"


def port_near(wanted: int) -> int:
    """The port that people remember, where nobody has it; else any free one."""
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            return free_port()
    return wanted


def free_port() -> int:
    """A port that nobody else is given for the next minute, though the service that wants it can bind it.

    One connection, closed from the listener's side, leaves the port in TIME_WAIT: the kernel hands out no such
    port by itself, but SO_REUSEADDR, which every server sets, may bind it. (Windows only finds a free one.)
    """
    with socket.socket() as listener:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, 0))
        listener.listen(1)
        port: int = listener.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            accepted, _ = listener.accept()
            accepted.close()
    return port
