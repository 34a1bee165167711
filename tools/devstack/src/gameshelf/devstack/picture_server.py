"""Serves the pictures of the demo games on this machine, in the place of a platform's CDN."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from gameshelf.devstack.process import StartFailed

_HEADERS = {
    "Content-Type": "image/svg+xml; charset=utf-8",
    "Cache-Control": "public, max-age=86400",
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


class PictureServer:
    """Pictures by their path, in threads of this process. It ends with the process, whatever happens to that."""

    def __init__(self, port: int, pictures: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._pictures = pictures
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Raises StartFailed where the port is taken."""
        pictures = self._pictures

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def _answer(self, *, with_body: bool) -> None:
                body = pictures.get(unquote(urlsplit(self.path).path), "").encode()
                self.send_response(200 if body else 404)
                for name, value in _HEADERS.items() if body else ():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        except OSError as error:
            raise StartFailed(f"the demo's pictures: port {self._port} can't be bound ({error.strerror})") from None
        threading.Thread(target=self._server.serve_forever, name="pictures", daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
