"""A TCP proxy in front of PostgreSQL whose wires can be cut."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Forwards 127.0.0.1:`port` to a server; every connection has two threads."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._cut: list[tuple[socket.socket, socket.socket]] = []
        # What has these bytes in it goes no further, and nobody is told: as if PostgreSQL froze.
        self.swallows = b""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._pairs.append((client, server))
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if not self.swallows or self.swallows not in data:
                    other.sendall(data)
        if (one, other) not in self._cut and (other, one) not in self._cut:
            for end in (one, other):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Reset all connections towards the client; the server's side stays open and unaware,
        as it is when a host or a switch in between goes down."""
        self._cut += self._pairs
        for client, _ in self._pairs:
            with suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.shutdown(socket.SHUT_RD)
                client.close()

    def close(self) -> None:
        """Stop listening and end everything."""
        self._listener.close()
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.close()


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A proxy to a local port for the time of a test."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
