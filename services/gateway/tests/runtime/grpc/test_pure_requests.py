"""Requests before they are decoded: their size, and how many elements a larger one may have."""

import pytest
from gameshelf.gateway.runtime.errors import PayloadTooLarge
from gameshelf.gateway.runtime.grpc.requests import MAX_BYTES, LargeRequest, _field_sizes, decoding
from gameshelf.kernel.errors import InvalidInput
from gameshelf.protos.library.v1.cloud_save_service_pb2 import BeginSaveUploadRequest, SaveFile
from hypothesis import example, given
from hypothesis import strategies as st

LARGE = LargeRequest(8 * 1024**2, 30_000, 128 * 1024)
decode = decoding(BeginSaveUploadRequest.FromString, large=LARGE)


def rule(sent):
    with pytest.raises(InvalidInput) as error:
        decode(sent)
    return error.value.problems[0].rule


def test_a_large_request_is_decoded():
    files = [SaveFile(path=f"saves/{number:0200}", size_bytes=number, sha256="0" * 64) for number in range(10_000)]
    request = BeginSaveUploadRequest(files=files, base_version=3)
    sent = request.SerializeToString()
    assert len(sent) > 2 * MAX_BYTES
    assert decode(sent) == request


def test_what_is_larger_is_refused_before_it_is_decoded():
    with pytest.raises(PayloadTooLarge) as error:
        decode(b"\x42\x00" * (4 * 1024**2 + 1))
    assert error.value.meta["max_bytes"] == LARGE.max_bytes
    with pytest.raises(PayloadTooLarge):
        decoding(BeginSaveUploadRequest.FromString)(b"\x42\x00" * MAX_BYTES)


def test_millions_of_empty_elements_are_never_made():
    assert rule(b"\x42\x00" * (3 * 1024**2)) == "too_long"
    inside = b"\x4a\x00" * (1024**2)
    assert rule(BeginSaveUploadRequest(comment="x" * MAX_BYTES).SerializeToString()) == "element_too_large"
    assert rule(b"\x42" + b"\x80\x80\x80\x01" + inside) == "element_too_large"


@pytest.mark.parametrize(
    "end", [b"\x43", b"\x42\x05x", b"\xff" * 11, b"\x42" + b"\xff" * 9 + b"\x01", b"\x0d\x00", b"\x80"]
)
def test_what_is_no_message_is_malformed(end):
    assert rule(b"\x08\x01" * 1000 + b"\x62\x80\x20" + bytes(4096) + end) == "malformed_message"
    assert rule(b"".join(b"\x62\xff\xff\x07" + bytes(131_071) for _ in range(9)) + end) == "malformed_message"


@given(st.lists(st.one_of(st.text(max_size=300), st.integers(0, 2**63 - 1)), max_size=20))
@example(["", 0, 2**63 - 1])
def test_the_sizes_of_fields_are_those_of_the_wire(values):
    sent = b"".join(
        (
            BeginSaveUploadRequest(comment=value)
            if isinstance(value, str)
            else BeginSaveUploadRequest(base_version=value)
        ).SerializeToString()
        for value in values
    )
    sizes = [len(value.encode()) for value in values if isinstance(value, str) and value]
    sizes += [max(1, -(-value.bit_length() // 7)) for value in values if isinstance(value, int)]
    assert sorted(_field_sizes(sent)) == sorted(sizes)
