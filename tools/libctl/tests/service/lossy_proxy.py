"""A proxy between libctl and the service that loses the first answer: the service gets the call, libctl no response."""

import socket
import threading
from contextlib import suppress

_HEADERS = 1
_FRAME_HEADER = 9


class LossyProxy:
    """Forwards the connections to an address, and closes the one on which the first response begins."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self._target = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listening.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            threading.Thread(target=self._send, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(client, server), daemon=True).start()

    @staticmethod
    def _send(client, server):
        try:
            while some := client.recv(65536):
                server.sendall(some)
        except OSError:
            pass

    def _answer(self, client, server):
        """Forwards whole frames of HTTP/2: one of headers begins a response."""
        source = server.makefile("rb")
        try:
            while len(header := source.read(_FRAME_HEADER)) == _FRAME_HEADER:
                frame = header + source.read(int.from_bytes(header[:3], "big"))
                if header[3] == _HEADERS and not self.lost:
                    self.lost += 1
                    break
                client.sendall(frame)
        except OSError:
            pass
        for one in (client, server):
            # Closing alone would wait for the thread that receives on it.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
