"""Why a call found no gRPC service at an address: the address itself is looked at, once, after the call has failed.

gRPC says "Socket closed" for a port that wants TLS, and for an HTTP port whatever its parser saw first; its texts
change between releases. What the port answers to a handshake does not.
"""

import errno
import socket
import ssl
from contextlib import suppress

from gameshelf.libctl.profiles import Profile

_SECONDS = 2.0
"""For how long each answer is waited for."""
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
"""The beginning of an HTTP/2 connection with an empty SETTINGS frame (RFC 9113, 3.4)."""
_SETTINGS = 4
_REQUEST = b"HEAD / HTTP/1.1\r\nHost: library\r\nConnection: close\r\n\r\n"


def problem_of(profile: Profile, *, is_answered: bool = False) -> tuple[str, str] | None:
    """Returns what is wrong with the address and what to try; None if it looks like a gRPC port of its kind.

    ``is_answered``: something there has answered the call, though not as the service does. An HTTP server may speak
    HTTP/2 too; a proxy for both is no HTTP port only because the service behind it doesn't answer.
    """
    host, _, port = profile.address.rpartition(":")
    place = (host.strip("[]"), int(port))
    try:
        socket.create_connection(place, _SECONDS).close()
    except OSError as error:
        return _unreachable(profile, error)
    return _encrypted(profile, place) if profile.is_encrypted else _plain(profile, place, is_answered)


def _unreachable(profile: Profile, error: OSError) -> tuple[str, str]:
    where = profile.address
    if isinstance(error, socket.gaierror):
        return f"the service can't be reached at {where}: no such host", "check the host in LIBCTL_ENDPOINT"
    if isinstance(error, TimeoutError):
        return (
            f"the service can't be reached at {where}: no answer within {_SECONDS:.0f} s",
            "check LIBCTL_ENDPOINT, the VPN and the firewall",
        )
    reason = errno.errorcode.get(error.errno or 0, "")
    said = "nothing listens on this port" if reason == "ECONNREFUSED" else (error.strerror or reason or "unknown")
    return f"the service can't be reached at {where}: {said}", "check LIBCTL_ENDPOINT: host and gRPC port"


def _plain(profile: Profile, place: tuple[str, int], is_answered: bool) -> tuple[str, str] | None:
    if _speaks_http2(place):
        return _http(profile, place) if is_answered else None
    if _speaks_tls(place):
        return f"{profile.address} expects TLS", f"LIBCTL_ENDPOINT=grpcs://{profile.address}"
    return _other(profile, place)


def _encrypted(profile: Profile, place: tuple[str, int]) -> tuple[str, str] | None:
    if not _speaks_tls(place):
        if _speaks_http2(place):
            return f"{profile.address} speaks gRPC without TLS", f"LIBCTL_ENDPOINT=grpc://{profile.address}"
        return _other(profile, place)
    return _distrusted(profile, place)


def _distrusted(profile: Profile, place: tuple[str, int]) -> tuple[str, str] | None:
    """Repeats the handshake as gRPC does it: with the profile's certificates, and for the host's name."""
    where = profile.address
    try:
        context = ssl.create_default_context(cafile=str(profile.ca_file) if profile.ca_file else None)
        context.set_alpn_protocols(["h2"])
        if profile.cert_file:
            context.load_cert_chain(profile.cert_file, profile.key_file)
    except (OSError, ssl.SSLError) as error:
        return f"the profile's certificates can't be used: {error.strerror or error}", "check the PEM files"
    try:
        with _connected(place) as raw, context.wrap_socket(raw, server_hostname=place[0]) as wrapped:
            if wrapped.selected_alpn_protocol() != "h2":
                return f"{where} speaks TLS, but not HTTP/2: it is not the gRPC port", "the port of gRPC"
            # A server that wants a client certificate refuses its absence only after the handshake of TLS 1.3, by an
            # alert or by hanging up; another one speaks first.
            is_refused = not wrapped.recv(1)
    except ssl.SSLCertVerificationError as error:
        return (
            f"the certificate of {where} is not trusted: {error.verify_message}",
            "set ca_file in the profile, or use the name for which the certificate was issued",
        )
    except (ssl.SSLError, ConnectionError):
        is_refused = True
    except OSError:
        is_refused = False
    if not is_refused:
        return None
    if profile.cert_file:
        return f"{where} does not accept the client certificate", "check cert_file and key_file in the profile"
    return f"{where} asks for a client certificate", "set cert_file and key_file in the profile"


def _other(profile: Profile, place: tuple[str, int]) -> tuple[str, str] | None:
    silent = f"{profile.address} does not speak gRPC", "check LIBCTL_ENDPOINT: host and gRPC port"
    return _http(profile, place) or silent


def _http(profile: Profile, place: tuple[str, int]) -> tuple[str, str] | None:
    """What is wrong with a port that answers a request of HTTP/1.1, which a server of gRPC alone does not."""
    if not _answer(place, _REQUEST).startswith(b"HTTP/1."):
        return None
    return f"{profile.address} is an HTTP port, not the gRPC port", "the gRPC port in LIBCTL_ENDPOINT"


def _speaks_http2(place: tuple[str, int]) -> bool:
    """Whether the port answers the beginning of HTTP/2 without TLS: its first frame is SETTINGS."""
    answer = _answer(place, _PREFACE)
    return len(answer) >= 9 and answer[3] == _SETTINGS


def _speaks_tls(place: tuple[str, int]) -> bool:
    """Whether the port answers a TLS handshake, with any certificate; nothing is sent over this connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with _connected(place) as raw, context.wrap_socket(raw, server_hostname=place[0]):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # it answered in TLS, by a refusal
    except OSError:
        return False


def _answer(place: tuple[str, int], sent: bytes) -> bytes:
    """Returns the beginning of what the port answers; empty if it answers nothing."""
    answer = b""
    with suppress(OSError), _connected(place) as raw:
        raw.sendall(sent)
        while len(answer) < 9 and (more := raw.recv(256)):
            answer += more
    return answer


def _connected(place: tuple[str, int]) -> socket.socket:
    return socket.create_connection(place, _SECONDS)
