"""A proxy between libctl and the service that answers some calls itself, as one at its limit does: by a bare status."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

_PASSED_ON = frozenset({"authorization", "accept-language"})
_THREADS = 8


class RefusingProxy(grpc.GenericRpcHandler):
    """Passes calls on, but for those whose request has one of ``texts``: they get ``status``, without any details.

    ``arrived`` is called with each request, and may keep it waiting. ``most`` is how many were there at the same time,
    and ``passed`` is released with each answer of the service.
    """

    def __init__(self, address, status=grpc.StatusCode.RESOURCE_EXHAUSTED):
        self.texts, self.status = [], status
        self.arrived = lambda request: None
        self.most, self.passed = 0, threading.Semaphore(0)
        self._now, self._lock = 0, threading.Lock()
        self._channel = grpc.insecure_channel(address)
        self._server = grpc.server(ThreadPoolExecutor(_THREADS), handlers=[self])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self):
        self._server.stop(0).wait()
        self._channel.close()

    def service(self, handler_call_details):
        def answer(request, context):
            self._count(1)
            try:
                return self._answer(handler_call_details.method, request, context)
            finally:
                self._count(-1)

        return grpc.unary_unary_rpc_method_handler(answer)

    def _count(self, more):
        with self._lock:
            self._now += more
            self.most = max(self.most, self._now)

    def _answer(self, method, request, context):
        self.arrived(request)
        if any(str(text).encode() in request for text in self.texts):
            context.abort(self.status, "too much")
        metadata = [one for one in context.invocation_metadata() if one[0] in _PASSED_ON]
        answer = self._channel.unary_unary(method)(request, metadata=metadata)
        self.passed.release()
        return answer
