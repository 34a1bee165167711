"""Serves the launcher's page on an origin of its own, with the calls of its demo buttons."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gameshelf.devstack.launcher.pages import FOLDER, page_file
from gameshelf.devstack.ports import HOST
from gameshelf.devstack.process import StartFailed

_LARGEST_BODY = 10_000
_JSON = "application/json"

DemoCall = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class DemoRefused(Exception):
    """The page asks for what can't be done; the message says what is wrong."""


class LauncherServer:
    """The page, in threads of this process. It ends with the process, whatever happens to that."""

    def __init__(self, port: int, folder: Path = FOLDER) -> None:
        self.url = f"http://{HOST}:{port}"
        self.origins = (self.url, f"http://localhost:{port}")
        self._port = port
        self._folder = folder
        self._server: ThreadingHTTPServer | None = None

    def start(self, headers: Mapping[str, str], config: DemoCall, actions: Mapping[str, DemoCall]) -> None:
        """Serves the page, ``/demo/config``, and a POST for each action. Raises StartFailed where the port is taken."""
        hosts = frozenset(urlsplit(origin).netloc for origin in self.origins)
        served = _Served(self.url, hosts, self._folder, headers, config, actions)
        handler = type("_LauncherHandler", (_Handler,), {"served": served})
        try:
            self._server = ThreadingHTTPServer((HOST, self._port), handler)
        except OSError as error:
            raise StartFailed(f"the launcher's page: port {self._port} can't be bound ({error.strerror})") from None
        threading.Thread(target=self._server.serve_forever, name="launcher", daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@dataclass(frozen=True, slots=True)
class _Served:
    """What the server answers with."""

    url: str
    hosts: frozenset[str]
    folder: Path
    headers: Mapping[str, str]
    config: DemoCall
    actions: Mapping[str, DemoCall]


class _Handler(BaseHTTPRequestHandler):
    served: _Served
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        if not self._is_ours():
            return
        path = urlsplit(self.path).path
        if path == "/demo/config":
            self._answer_json(200, self.served.config({}))
        elif found := page_file(self.served.folder, path):
            self._answer(200, *found)
        else:
            self._answer_json(404, {"error": f"there is no {path}"})

    def do_POST(self) -> None:
        # Another site's page can't send this type without a preflight, which no answer allows.
        if not self._is_ours() or self.headers.get("Content-Type") != _JSON:
            self.close_connection = True
            self._answer_json(400, {"error": "a POST of this page with JSON is expected"})
            return
        action = self.served.actions.get(urlsplit(self.path).path)
        try:
            body = self._body()
            if action is None:
                self._answer_json(404, {"error": f"there is no {self.path}"})
            else:
                self._answer_json(200, action(body))
        except DemoRefused as error:
            self._answer_json(400, {"error": str(error)})

    def _is_ours(self) -> bool:
        """Whether this origin is addressed, and not another name that leads to this machine."""
        if self.headers.get("Host") in self.served.hosts:
            return True
        self.close_connection = True
        if self.command == "GET":
            self._answer_json(400, {"error": f"the page is at {self.served.url}"})
        return False

    def _body(self) -> Mapping[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            raise DemoRefused(f"a body of up to {_LARGEST_BODY} bytes is expected")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            raise DemoRefused("the body is no JSON") from None
        if not isinstance(body, dict):
            raise DemoRefused("the body has to be an object")
        return body

    def _answer_json(self, status: int, document: Mapping[str, Any]) -> None:
        self._answer(status, _JSON, json.dumps(document, ensure_ascii=False).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in self.served.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass
