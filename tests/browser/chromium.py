"""Headless Chromium over its DevTools protocol: what the walk needs of it, and no more."""

import asyncio
import base64
import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import websockets
from gameshelf.devstack.process import Process

PATIENCE_SECONDS = 20.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
_FIND = """
(selector, text) => [...document.querySelectorAll(selector)].find(
  (one) => one.checkVisibility() && (!text || (one.getAttribute("aria-label") ?? one.textContent).includes(text)))
"""


def chromium() -> str | None:
    """The program, where there is one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """A running Chromium with a profile of its own. Its windows share it, as those of one player do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listeners: defaultdict[str, list[Callable[[str, Any], None]]] = defaultdict(list)
        self._number = 0

    async def __aenter__(self) -> "Browser":
        program = chromium()
        assert program
        options = ["--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--lang=en"]
        options += ["--disable-dev-shm-usage", "--hide-scrollbars", "--no-proxy-server"]
        options.append(f"--user-data-dir={self._folder}")
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to run as root with it
        self._process = Process([program, *options, "about:blank"], self._folder / "log")
        ports = self._folder / "DevToolsActivePort"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ports.exists() or len(ports.read_text().split()) < 2:
            assert time.monotonic() < deadline, self._process.tail()
            assert self._process.returncode is None, self._process.tail()
            await asyncio.sleep(0.05)
        port, path = ports.read_text().split()
        self._socket = await websockets.connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await self._socket.close()
        await asyncio.to_thread(self._process.stop)

    async def open(self, url: str) -> "Window":
        """A new window, with a page that has been loaded."""
        target = await self.send("Target.createTarget", {"url": "about:blank"})
        attached = await self.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        window = Window(self, target["targetId"], attached["sessionId"])
        await window.prepare()
        await window.goto(url)
        return window

    async def send(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return await asyncio.wait_for(answer, PATIENCE_SECONDS * 2)

    def listen(self, session: str, listener: Callable[[str, Any], None]) -> None:
        self._listeners[session].append(listener)

    async def _read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            if "id" not in message:
                for listener in self._listeners[message.get("sessionId", "")]:
                    listener(message["method"], message["params"])
            elif not (answer := self._answers.pop(message["id"])).done():
                if "error" in message:
                    answer.set_exception(RuntimeError(message["error"]["message"]))
                else:
                    answer.set_result(message["result"])


class Window:
    """One window, and what its console has said."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser, self._target, self._session = browser, target, session
        self.errors: list[str] = []
        """What the console shows in red: exceptions, refusals of the policy, answers with an error."""

    async def prepare(self) -> None:
        self._browser.listen(self._session, self._note)
        for domain in ("Page", "Runtime", "Log"):
            await self._send(f"{domain}.enable", {})
        await self.resize(1000)

    def _note(self, method: str, event: Any) -> None:
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(one.get("value")) for one in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] == "error":
            self.errors.append(f"{event['entry']['text']} {event['entry'].get('url', '')}")

    async def _send(self, method: str, parameters: dict[str, Any]) -> Any:
        return await self._browser.send(method, parameters, self._session)

    async def goto(self, url: str) -> None:
        await self._send("Page.navigate", {"url": url})
        await self.until("document.readyState === 'complete' && document.querySelector('main:not([aria-busy])')")

    async def close(self) -> None:
        await self._browser.send("Target.closeTarget", {"targetId": self._target})

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = await self._send("Runtime.evaluate", asked)
        if details := answer.get("exceptionDetails"):
            raise AssertionError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    async def until(self, script: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until an expression is true; the page's text is in the complaint if it does not become so."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if await self.run(f"document.body !== null && Boolean({script})"):  # a new document has none at first
                    return
            except RuntimeError:
                pass  # between two documents
            if time.monotonic() > deadline:
                raise AssertionError(f"{script}\n{self.errors}\n{await self.text()}")
            await asyncio.sleep(0.05)

    async def text(self) -> str:
        return str(await self.run("document.body.innerText"))

    async def shows(self, text: str, selector: str = "body") -> None:
        """Waits for a text in an element."""
        elements = f"[...document.querySelectorAll({json.dumps(selector)})]"
        await self.until(f"{elements}.some((one) => one.innerText.includes({json.dumps(text)}))")

    async def click(self, selector: str, text: str = "") -> None:
        """Clicks what is there, once it is; with a text, what has it as its text or its label."""
        found = f"({_FIND})({json.dumps(selector)}, {json.dumps(text)})"
        await self.until(f"{found} && {found}.getAttribute('aria-busy') !== 'true'")
        await self.run(f"{found}.click()")

    async def choose(self, selector: str, value: str) -> None:
        """Chooses an option, or moves a slider, as a hand does."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(found)
        change = "dispatchEvent(new Event('change', {bubbles: true}))"
        await self.run(f"Object.assign({found}, {{value: {json.dumps(value)}}}).{change}")

    async def type(self, selector: str, text: str) -> None:
        await self.until(f"document.querySelector({json.dumps(selector)})")
        await self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        await self._send("Input.insertText", {"text": text})

    async def press(self, key: str, code: int, text: str = "") -> None:
        """A key of the keyboard, with its Windows virtual code."""
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self._send("Input.dispatchKeyEvent", {"type": "keyDown", **event, **({"text": text} if text else {})})
        await self._send("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    async def resize(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self._send("Emulation.setDeviceMetricsOverride", size)

    async def cut(self, is_cut: bool) -> None:
        """Takes the network away from this window, or gives it back."""
        await self._send("Network.enable", {})
        speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await self._send("Network.emulateNetworkConditions", {"offline": is_cut, **speed})

    async def prefer(self, scheme: str) -> None:
        """The system of the player is ``light`` or ``dark``."""
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        await self._send("Emulation.setEmulatedMedia", {"features": features})

    async def picture(self) -> bytes:
        await self.until("[...document.images].every((one) => one.complete || one.loading === 'lazy')")
        taken = await self._send("Page.captureScreenshot", {"format": "webp", "quality": 82})
        return base64.b64decode(taken["data"])
