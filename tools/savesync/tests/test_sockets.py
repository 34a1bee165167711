"""The store over real connections: what stands on the wire, and answers that come early or end early."""

import asyncio
from hashlib import sha256

import httpx
import pytest
from gameshelf.client.saves.store import SignatureRefused
from gameshelf.client.saves.tickets import StoreRequest
from gameshelf.savesync.errors import SaveChanged, ServiceAway
from gameshelf.savesync.store import NoProgress, SaveStore

CONTENT = bytes(range(256)) * 16_384
"""4 MiB: more than the buffers of a connection hold."""


class Server:
    """Answers each connection with the next of its answers: bytes, and how much of the body it reads before."""

    def __init__(self):
        self.answers, self.heads, self.bodies = [], [], []
        self.reads_the_rest = True

    async def __call__(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode().lower().split("\r\n"))
        read, answer = self.answers.pop(0)
        self.bodies.append(await reader.readexactly(read) if read else b"")
        writer.write(answer)
        await writer.drain()
        if read and self.reads_the_rest:
            while await reader.read(65_536):
                pass
        writer.close()


@pytest.fixture
async def server():
    made = Server()
    async with await asyncio.start_server(made, "127.0.0.1", 0) as listening:
        made.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield made


@pytest.fixture
async def socket_store(pause):
    async with httpx.AsyncClient(trust_env=False) as client:
        yield SaveStore(client, pause)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.sav"
    path.write_bytes(CONTENT)
    return path


def sending(server, **headers):
    return StoreRequest("PUT", f"{server.address}/key?X-Amz-Signature=1", headers, "a" * 64, len(CONTENT))


def answer(status, body=b"", length=None, **headers):
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body) if length is None else length}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()] + ["Connection: close"]
    return "\r\n".join([*head, "", ""]).encode() + body


async def test_a_content_has_its_length_once(server, socket_store, file):
    server.answers = [(len(CONTENT), answer(200))]
    headers = {"content-length": str(len(CONTENT)), "X-Amz-Content-Sha256": "b" * 64}
    await socket_store.send(sending(server, **headers), file, NoProgress())
    [head] = server.heads
    assert [line for line in head if line.startswith("content-length")] == [f"content-length: {len(CONTENT)}"]
    assert f"x-amz-content-sha256: {'b' * 64}" in head
    assert not [line for line in head if line.startswith(("transfer-encoding", "authorization"))]
    assert sha256(server.bodies[0]).digest() == sha256(CONTENT).digest()


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(403, "AccessDenied", SignatureRefused), (400, "XAmzContentSHA256Mismatch", SaveChanged)],
)
async def test_a_refusal_before_the_end_of_the_body(server, socket_store, file, status, code, error):
    server.answers = [(1_000, answer(status, f"<Error><Code>{code}</Code></Error>".encode()))]
    with pytest.raises(error):
        await socket_store.send(sending(server), file, NoProgress())


async def test_a_refusal_that_is_lost_asks_for_a_fresh_signature(server, socket_store, file):
    """Bytes that were not read when the connection is closed reset it, and the answer is gone."""
    server.answers, server.reads_the_rest = [(1_000, answer(403))] * 4, False
    with pytest.raises(SignatureRefused):
        await socket_store.send(sending(server), file, NoProgress())


async def test_a_store_without_a_route_is_away(server, socket_store, file):
    request = StoreRequest("PUT", "http://127.0.0.1:9/key", {}, "a" * 64, len(CONTENT))
    with pytest.raises(ServiceAway):
        await socket_store.send(request, file, NoProgress())


async def test_an_answer_that_ends_early_is_continued(server, socket_store, tmp_path):
    half = len(CONTENT) // 2
    rest = answer(206, CONTENT[half:], Content_Range=f"bytes {half}-{len(CONTENT) - 1}/{len(CONTENT)}")
    server.answers = [(0, answer(200, CONTENT[:half], len(CONTENT))), (0, rest)]
    target = tmp_path / "content.part"
    await socket_store.receive(f"{server.address}/key", target, len(CONTENT), NoProgress())
    assert target.read_bytes() == CONTENT
    [line] = [line for line in server.heads[1] if line.startswith("range")]
    assert line == f"range: bytes={half}-"


async def test_more_than_the_content_is_not_written(server, socket_store, tmp_path):
    server.answers = [(0, answer(200, CONTENT))]
    target = tmp_path / "content.part"
    await socket_store.receive(f"{server.address}/key", target, 1_000, NoProgress())
    assert target.read_bytes() == CONTENT[:1_000]
