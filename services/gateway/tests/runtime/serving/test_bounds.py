"""Bounds of the HTTP server, with short time-outs: those of a real service would make the tests slow."""

import asyncio
from contextlib import asynccontextmanager, suppress

import h2.config
import h2.connection
import h2.events
import h2.settings
from gameshelf.devstack.pytest_plugin import PATIENCE_SECONDS
from gameshelf.devstack.servers.base import free_port
from gameshelf.devstack.wire import frame, handshake
from gameshelf.gateway.runtime.http import drain
from gameshelf.gateway.runtime.serving import connection, hypercorn

HEADERS = [(":authority", "localhost"), (":scheme", "http")]
CHUNK = 16 * 1024


@asynccontextmanager
async def served(app, *, allow_h2c=False):
    """The address of a server that runs ``app``."""
    ended = asyncio.Event()
    port = free_port()
    serving = hypercorn.serve(app, "127.0.0.1", port, allow_h2c=allow_h2c, grace_seconds=1, stopped=ended.wait)
    server = asyncio.create_task(serving)
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            break
    yield "127.0.0.1", port
    ended.set()
    await server


class Client:
    """A client of HTTP/2 that knows beforehand that the server speaks it."""

    def __init__(self, reader, writer, window):
        self.reader, self.writer = reader, writer
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.http.initiate_connection()
        self.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()

    def flush(self):
        self.writer.write(self.http.data_to_send())

    def ask(self, method, path, *, ends=True):
        stream = self.http.get_next_available_stream_id()
        self.http.send_headers(stream, [(":method", method), (":path", path), *HEADERS], end_stream=ends)
        self.flush()
        return stream

    async def until(self, kind, stream):
        """Reads until an event of this kind came for the stream."""
        while True:
            received = await asyncio.wait_for(self.reader.read(65536), PATIENCE_SECONDS)
            assert received, "the connection has ended"
            events = self.http.receive_data(received)
            self.flush()
            if any(isinstance(event, kind) and event.stream_id == stream for event in events):
                return


async def answer(send, body=b"{}"):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def test_a_closed_window_keeps_little_of_each_response():
    produced = {}

    async def large(scope, receive, send):
        name = scope["path"]
        produced[name] = 0
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(128):
            await send({"type": "http.response.body", "body": bytes(CHUNK), "more_body": True})
            produced[name] += CHUNK
        await send({"type": "http.response.body", "body": b""})

    async with served(large, allow_h2c=True) as address:
        client = Client(*await asyncio.open_connection(*address), window=0)
        for number in range(80):
            stream = client.ask("GET", f"/{number}")
            await client.until(h2.events.ResponseReceived, stream)
        for _ in range(200):
            await asyncio.sleep(0)  # every response goes as far as it can
        client.http.ping(b"12345678")
        client.flush()
        assert len(produced) == 80
        assert sum(produced.values()) <= 80 * 3 * CHUNK
        client.writer.close()


async def test_a_body_that_continues_after_its_answer_ends_no_other_stream():
    async def hasty(scope, receive, send):
        await answer(send)

    async with served(hasty, allow_h2c=True) as address:
        client = Client(*await asyncio.open_connection(*address), window=65535)
        early = client.ask("POST", "/early", ends=False)
        await client.until(h2.events.ResponseReceived, early)
        client.http.send_data(early, bytes(1000))
        client.flush()
        other = client.ask("GET", "/other")
        await client.until(h2.events.StreamEnded, other)
        client.writer.close()


async def test_http2_is_not_spoken_unless_it_is_allowed():
    async def plain(scope, receive, send):
        await answer(send)

    async with served(plain) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)).startswith(b"HTTP/1.1 400")
        writer.close()


async def test_headers_that_do_not_come_to_an_end_are_not_waited_for(monkeypatch):
    monkeypatch.setattr(connection, "FIRST_REQUEST_SECONDS", 0.3)

    async def plain(scope, receive, send):
        await answer(send)

    async with served(plain) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
        writer.close()


async def test_who_takes_nothing_of_a_response_is_cut_off(monkeypatch):
    monkeypatch.setattr(connection, "STALLED_SECONDS", 0.3)
    ended = asyncio.Event()

    async def endless(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        waiting = asyncio.ensure_future(receive())
        while not (waiting.done() and waiting.result()["type"] == "http.disconnect"):
            await send({"type": "http.response.body", "body": bytes(CHUNK), "more_body": True})
            if waiting.done() and waiting.result()["type"] != "http.disconnect":
                waiting = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
        ended.set()

    async with served(endless) as address:
        _, writer = await asyncio.open_connection(*address, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(ended.wait(), PATIENCE_SECONDS)
        writer.close()


async def test_who_sends_on_after_a_refusal_leaves_no_connection_behind():
    """The application reads nothing, so that what comes fills the queue before it."""
    answered = asyncio.Event()

    async def refusing(scope, receive, send):
        await asyncio.sleep(0.1)
        await answer(send)
        answered.set()

    async with served(refusing) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write((b"400\r\n" + bytes(1024) + b"\r\n") * 1000)
        await asyncio.wait_for(answered.wait(), PATIENCE_SECONDS)
        with suppress(ConnectionError):
            while await asyncio.wait_for(reader.read(65536), PATIENCE_SECONDS):
                pass
        writer.close()


async def posted(address, chunk, count):
    """The first line that comes back for a body in so many chunks."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write((b"%x\r\n" % len(chunk) + chunk + b"\r\n") * count + b"0\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)
    finally:
        writer.close()


async def test_a_body_in_pieces_of_a_byte_is_read_no_further():
    """A chunk of one byte takes six on the wire, and costs as much as one of 64 KB."""
    received, rules = [], []

    async def collecting(scope, receive, send):
        async def collect(scope, receive, send):
            while (message := await receive())["type"] == "http.request":
                received.append(message["body"])
                if not message["more_body"]:
                    return

        rules.append(await drain.serve_patiently(collect, scope, receive, send))
        await answer(send)

    async with served(collecting) as address:
        assert (await posted(address, b"x", 20_000)).startswith(b"HTTP/1.1 200")
        assert len(received) == drain.FREE_PIECES
        received.clear()
        assert (await posted(address, bytes(drain.LEAST_PIECE_BYTES), 600)).startswith(b"HTTP/1.1 200")
        assert sum(map(len, received)) == 600 * drain.LEAST_PIECE_BYTES
        assert rules == ["too_many_pieces", None]


async def test_an_answer_waits_neither_for_tiny_pieces_nor_for_an_endless_body(monkeypatch):
    monkeypatch.setattr(drain, "LONGEST_SECONDS", 2 * PATIENCE_SECONDS)  # longer than the answer is waited for here

    async def refusing(scope, receive, send):
        async def refuse(scope, receive, send):
            reading = asyncio.ensure_future(read(receive))
            await answer(send)
            reading.cancel()

        async def read(receive):
            while (await receive())["type"] == "http.request":
                pass

        await drain.serve_patiently(refuse, scope, receive, send)

    async with served(refusing) as address:
        assert (await posted(address, b"x", 5_000)).startswith(b"HTTP/1.1 200")
        assert (await posted(address, bytes(65536), 300)).startswith(b"HTTP/1.1 200")


async def test_a_message_in_hundreds_of_pieces_is_closed():
    messages = asyncio.Queue()

    async def listening(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        while (message := await receive())["type"] == "websocket.receive":
            messages.put_nowait(message["text"])

    def message(pieces):
        return frame(1, b"x", final=False) + frame(0, b"x", final=False) * pieces + frame(0, b"x")

    async with served(listening) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(handshake())
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
        writer.write(message(200))
        assert await asyncio.wait_for(messages.get(), PATIENCE_SECONDS) == "x" * 202
        writer.write(message(16_000))
        await asyncio.wait_for(reader.readuntil(b"\x88\x02\x03\xf1"), PATIENCE_SECONDS)  # 1009
        assert messages.empty()
        writer.close()


async def test_frames_before_the_handshake_block_nothing():
    ended = asyncio.Event()

    async def slow(scope, receive, send):
        while (await receive())["type"] != "websocket.disconnect":
            pass
        ended.set()

    async with served(slow) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(handshake() + frame(1, b"x") * 3)
        assert (await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)).startswith(b"HTTP/1.1 400")
        await asyncio.wait_for(ended.wait(), PATIENCE_SECONDS)
        writer.close()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(handshake(Sec_WebSocket_Version="7"))
        assert (await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)).startswith(b"HTTP/1.1 400")
        writer.close()
