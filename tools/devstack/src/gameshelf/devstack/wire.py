"""Bytes on a socket, as no well-behaved client sends them."""

import base64
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

CLOSE, PING, PONG = 8, 9, 10
PATIENCE_SECONDS = 15.0


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def exchange(port: int, *parts: bytes, half_close: bool = False) -> bytes:
    """Sends the parts and reads until the server closes, or says nothing for as long as the patience lasts."""
    with connect(port) as client:
        with suppress(OSError):  # who refuses early may close early
            for part in parts:
                client.sendall(part)
            if half_close:
                client.shutdown(socket.SHUT_WR)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    received = b""
    with suppress(OSError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def read_response(client: socket.socket) -> tuple[int, bytes]:
    """One response with a Content-Length: its status and its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = client.recv(65536)
        if not chunk:
            return 0, received
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length and (chunk := client.recv(65536)):
        body += chunk
    return status_of(head), body


def status_of(received: bytes) -> int:
    """The status of the first response; 0 where there is none."""
    parts = received.split(b" ", 2)
    return int(parts[1]) if received.startswith(b"HTTP/1.") and len(parts) > 1 and parts[1].isdigit() else 0


def handshake(path: str = "/api/v1/ws/library-updates", **headers: str) -> bytes:
    """The request that opens a WebSocket; a header that is given as "" is left out."""
    given = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def frame(opcode: int, payload: bytes, *, final: bool = True, rsv: int = 0) -> bytes:
    """A masked frame of a client; the mask is zero, so that the payload is what it says."""
    first = (0x80 if final else 0) | rsv << 4 | opcode
    size = len(payload)
    if size < 126:
        length = struct.pack("!B", 0x80 | size)
    elif size < 65536:
        length = struct.pack("!BH", 0x80 | 126, size)
    else:
        length = struct.pack("!BQ", 0x80 | 127, size)
    return bytes([first]) + length + bytes(4) + payload


def opened(port: int, **headers: str) -> socket.socket:
    """A socket after its handshake, which must be accepted."""
    client = connect(port)
    client.sendall(handshake(**headers))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, head
        head += byte
    assert status_of(head) == 101, head
    assert b"sec-websocket-extensions" not in head.lower()
    return client


def close_code(client: socket.socket) -> int | None:
    """The code of the server's close frame; None where the connection ended without one."""
    return code_in(read_all(client))


def close_code_in_a_browser(client: socket.socket) -> int | None:
    """The code that a browser reports: it answers each ping at once, before it reads what stands behind the ping.

    None where the answer finds a closed socket: the connection is reset, and the close frame is lost with it.
    """
    try:
        while code_in(received := client.recv(65536, socket.MSG_PEEK)) is None:
            if not received:
                return None
            time.sleep(0.001)
        for _ in range(pings_in(received)):
            client.sendall(frame(PONG, b""))
            time.sleep(0.01)  # a server that is about to close has closed by now
        code = code_in(client.recv(65536))
        client.sendall(frame(CLOSE, struct.pack("!H", code or 1000)))
    except OSError:
        return None
    return code


def closed_among(clients: list[socket.socket], count: int) -> list[int]:
    """The codes of those that are closed, once they are so many or the patience is over."""
    received = dict.fromkeys(clients, b"")
    codes: dict[socket.socket, int] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(codes) < count and time.monotonic() < deadline:
        ready, _, _ = select.select([client for client in clients if client not in codes], [], [], 0.2)
        for client in ready:
            with suppress(ConnectionError):
                received[client] += client.recv(65536)
            code = code_in(received[client])
            if code is not None:
                codes[client] = code
    return list(codes.values())


def code_in(received: bytes) -> int | None:
    """The code of the first close frame in what a server has sent."""
    for opcode, payload in frames_in(received):
        if opcode == CLOSE:
            return struct.unpack_from("!H", payload)[0] if len(payload) >= 2 else 1005
    return None


def pings_in(received: bytes) -> int:
    """Returns the number of pings that a server has sent."""
    return sum(opcode == PING for opcode, _ in frames_in(received))


def frames_in(received: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole frames in what a server has sent: opcode and payload."""
    at = 0
    while at + 2 <= len(received):
        opcode, size = received[at] & 0x0F, received[at + 1] & 0x7F
        at += 2
        if size == 126:
            if at + 2 > len(received):
                return
            size = struct.unpack_from("!H", received, at)[0]
            at += 2
        if at + size > len(received):
            return
        yield opcode, received[at : at + size]
        at += size
