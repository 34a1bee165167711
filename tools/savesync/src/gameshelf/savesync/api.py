"""Calls of the service: typed, repeated while the network fails for a moment, never applied twice.

Every POST has a key of its own, so an answer that was lost is given again. What fails for longer is ``ServiceAway``:
the caller keeps its work for later.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
from gameshelf.savesync.amounts import files_text, size_text
from gameshelf.savesync.errors import ServiceAway, ServiceRefusal, UnexpectedAnswer
from gameshelf.savesync.files import CloudFiles
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.wire import (
    Attributes,
    CloudVersion,
    CommittedVersion,
    DownloadTicket,
    FileDownload,
    FileUpload,
    NewVersion,
    SlotOnDevice,
    StillVerifying,
    SyncAdvice,
    UploadTicket,
    read_advice,
    read_commit,
    read_download,
    read_file_download,
    read_file_upload,
    read_files,
    read_progress,
    read_ticket,
    read_version,
    reading,
)

Pause = Callable[[float], Awaitable[None]]
TIMEOUT = httpx.Timeout(60, connect=10)
TRIES = 6
TRIES_TO_CONNECT = 3
"""A machine without a network is most often offline for long, and somebody waits for the game to start."""
LONGEST_PAUSE = 60.0
_PAGE, _PAGE_OF_FILES = 100, 1_000
MAX_HAVE, MAX_WANT = 1_000, 100
_AWAY = (429, 500, 502, 503, 504)


class SaveApi:
    """The calls about saves, for the holder of a token."""

    def __init__(
        self, client: httpx.AsyncClient, token: str | Callable[[], str], *, pause: Pause = asyncio.sleep
    ) -> None:
        """``client`` has the address of the API, ``…/api/v1/library/``, as its base.

        A token that expires while a launcher runs is given as a function, which returns the current one.
        """
        self._client, self._token, self._pause = client, token, pause

    async def policy(self, product_id: str) -> FolderPolicy:
        """The policy of a product; the default where it has none."""
        return FolderPolicy.parse(await self.policy_document(product_id))

    async def policy_document(self, product_id: str) -> Any:
        """The same as the service sends it, to be kept."""
        answer = await self._get(f"savegames/policy/{product_id}")
        with reading("policy"):
            return answer["data"]["attributes"]

    async def plan(
        self,
        product_id: str,
        device_id: str,
        intent: str,
        slots: Sequence[SlotOnDevice],
        options: Attributes | None = None,
    ) -> SyncAdvice:
        """What is to be done with each slot. ``options``: ``device_name``, ``policy_revision``, ``game_version_id``."""
        said = {"product_id": product_id, "device_id": device_id, "intent": intent, **(options or {})}
        slots_said = [slot.attributes() for slot in slots]
        return read_advice(await self._post("savegames/plan", {**_without_nulls(said), "slots": slots_said}))

    async def begin(self, new: NewVersion) -> UploadTicket:
        """Opens an upload, or answers the open one of the same list, base and device."""
        return read_ticket(await self._post("savegames/uploads", new.attributes()))

    async def upload(self, upload_id: str) -> UploadTicket:
        """What an open upload still needs, with requests that are signed afresh."""
        return read_ticket(await self._get(f"savegames/uploads/{upload_id}"))

    async def cancel(self, upload_id: str) -> None:
        """Gives up an upload. One that has ended is no error."""
        try:
            await self._send("DELETE", f"savegames/uploads/{upload_id}")
        except ServiceRefusal as refusal:
            if refusal.status != 404:
                raise

    async def commit(self, upload_id: str) -> CommittedVersion | StillVerifying:
        """Makes the upload a version."""
        response = await self._send("POST", f"savegames/uploads/{upload_id}/commit", body={})
        if response.status_code == 202:
            return read_progress(_json(response), retry_after(response) or 2.0)
        return read_commit(_json(response))

    async def files(self, savegame_id: str, version: int) -> CloudFiles:
        """The whole list of a version."""
        path = f"savegames/{savegame_id}/versions/{version}/files"
        entries = [one["attributes"] async for one in self._pages(path, limit=_PAGE_OF_FILES)]
        return read_files(entries)

    async def download(
        self,
        savegame_id: str,
        *,
        version: int | None = None,
        device_id: str | None = None,
        have: Sequence[str] = (),
        have_version: int | None = None,
        want: Sequence[str] | None = None,
    ) -> DownloadTicket:
        """The list of a version with URLs. With ``want`` the list has those contents alone, and a URL for each."""
        said = {"version": version, "device_id": device_id, "have_version": have_version}
        lists = {"have": list(have)} if want is None else {"have": list(have), "want": list(want)}
        return read_download(await self._post(f"savegames/{savegame_id}/download", {**_without_nulls(said), **lists}))

    async def begin_file(self, attributes: Attributes) -> FileUpload:
        """Opens an upload of a single file, as ``POST /savegames/upload-url`` describes it."""
        answer = await self._post("savegames/upload-url", _without_nulls(attributes))
        return read_file_upload(answer, attributes["file_hash_sha256"], attributes["file_size_bytes"])

    async def confirm_file(self, upload_id: str) -> CommittedVersion:
        """Makes the upload of a single file a version."""
        return read_commit(await self._post("savegames/confirm-upload", {"internal_save_id": upload_id}))

    async def download_file(self, savegame_id: str) -> FileDownload:
        """The head of a save that is a single file, with its URL."""
        return read_file_download(await self._get(f"savegames/{savegame_id}/download-url"))

    async def synced(self, savegame_id: str, version: int, device_id: str) -> None:
        """Reports that the folders of this device have a version."""
        await self._post(f"savegames/{savegame_id}/synced", {"version": version, "device_id": device_id})

    async def saves(self, product_id: str) -> list[CloudVersion]:
        """The heads of all slots of a product."""
        return [read_version(one) async for one in self._pages("savegames", product_id=product_id)]

    async def versions(self, savegame_id: str) -> AsyncIterator[CloudVersion]:
        """The history of a save, as the service orders it."""
        async for one in self._pages(f"savegames/{savegame_id}/versions"):
            yield read_version(one)

    async def restore(
        self, savegame_id: str, version: int, device_id: str, units: Sequence[str] = ()
    ) -> CommittedVersion:
        """Makes a version, or units of it, the new head."""
        said = {"version": version, "device_id": device_id, **({"units": list(units)} if units else {})}
        return read_commit(await self._post(f"savegames/{savegame_id}/restore", said))

    async def undelete(self, savegame_id: str) -> str:
        """Takes a save out of the trash. Returns its name, which is another one if a newer save has its own."""
        answer = await self._post(f"savegames/{savegame_id}/undelete", {})
        with reading("savegame"):
            return str(answer["data"]["attributes"]["slot_name"])

    async def conflicts(self, product_id: str) -> AsyncIterator[Attributes]:
        """The open conflicts of a product with both sides."""
        async for one in self._pages("savegames/conflicts", product_id=product_id):
            yield _attributes({"data": one})

    async def conflict(self, conflict_id: str) -> Attributes:
        """A conflict with both sides and the first hundred differences, as REST answers it."""
        return _attributes(await self._get(f"savegames/conflicts/{conflict_id}"))

    async def differences(self, conflict_id: str) -> AsyncIterator[Attributes]:
        """All differences of a conflict."""
        async for one in self._pages(f"savegames/conflicts/{conflict_id}/differences"):
            yield _attributes({"data": one})

    async def resolve(self, conflict_id: str, resolution: str, options: Attributes) -> CommittedVersion:
        """Ends a conflict. ``options``: ``head_version``, ``branch_version``, ``units``, ``copy_slot_name``."""
        said = {"resolution": resolution, **_without_nulls(options)}
        return read_commit(await self._post(f"savegames/conflicts/{conflict_id}/resolve", said))

    async def auto_sync(self, product_id: str | None = None) -> bool:
        """Whether saves synchronise by themselves: of a product, or of the account."""
        answer = await self._get(_preference_of(product_id))
        with reading("preference"):
            return bool(answer["data"]["attributes"]["auto_sync"])

    async def set_auto_sync(self, value: bool, product_id: str | None = None) -> None:
        """Switches the automatic synchronisation of a product or of the account."""
        await self._send("PUT", _preference_of(product_id), body={"auto_sync": value})

    async def _pages(self, path: str, limit: int = _PAGE, **query: Any) -> AsyncIterator[Any]:
        number = 1
        while True:
            answer = await self._get(path, page=number, limit=limit, **query)
            with reading(path):
                data, is_last = answer["data"], "next" not in answer["links"]
            for one in data:
                yield one
            if is_last or not data:
                return
            number += 1

    async def _get(self, path: str, **query: Any) -> Any:
        return _json(await self._send("GET", path, query=query))

    async def _post(self, path: str, attributes: Attributes) -> Any:
        response = await self._send("POST", path, body=attributes)
        return None if response.status_code == 204 else _json(response)

    async def _send(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Attributes | None = None
    ) -> httpx.Response:
        """Sends a request until it is answered. Raises ServiceRefusal or ServiceAway."""
        headers = {"Accept": "application/json", "Accept-Language": "en"}
        content = None
        if body is not None:
            content = json.dumps({"data": {"attributes": body}}, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        request = partial(self._client.request, method, path, params=query, content=content)
        response = await self._answer(request, headers)
        if response.status_code == 401 and response.request.headers["Authorization"] != self._authorization():
            response = await self._answer(request, headers)  # it has expired on the way, and there is a newer one
        return _accepted(response)

    async def _answer(
        self, request: Callable[..., Awaitable[httpx.Response]], headers: Mapping[str, str]
    ) -> httpx.Response:
        tries = TRIES
        for tried in range(1, TRIES + 1):
            said: float | None = None
            try:
                response = await request(headers={**headers, "Authorization": self._authorization()})
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = f"{self._client.base_url}: {type(error).__name__} {error}".rstrip()
                tries = TRIES_TO_CONNECT if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else TRIES
            else:
                _check_origin(response)
                if response.status_code not in _AWAY:
                    return response
                reason, said = str(_refusal(response)), retry_after(response)
            if tried < tries and (said or 0.0) <= LONGEST_PAUSE:
                await self._pause(pause_before(tried, said))
                continue
            break
        raise ServiceAway(reason, said)

    def _authorization(self) -> str:
        return f"Bearer {self._token if isinstance(self._token, str) else self._token()}"


def pause_before(tried: int, said: float | None = None) -> float:
    """How long to wait after a number of failures: longer each time, and not as long as all others wait."""
    waits = min(20.0, 0.5 * 2.0**tried)
    return (said or 0.0) + random.uniform(0.0, waits)  # noqa: S311 - it spreads requests, and hides nothing


def _check_origin(response: httpx.Response) -> None:
    """Raises ServiceAway for what the service never answers: the page of a hotspot, or of a proxy, instead of it."""
    is_page = response.is_success and "html" in response.headers.get("Content-Type", "")
    if is_page or response.has_redirect_location or response.status_code == 511:
        what = response.headers.get("Location") or response.headers.get("Content-Type") or "no content"
        said = f"{response.status_code}, {what}"
        raise ServiceAway(f"{response.url.host} is not reached: this network answers instead of it ({said})")


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    raise _refusal(response)


def _refusal(response: httpx.Response) -> ServiceRefusal:
    """The first error of an answer. A proxy before the service has no envelope."""
    try:
        first = response.json()["errors"][0]
        meta, detail = first.get("meta") or {}, first.get("detail") or ""
        pointer = (first.get("source") or {}).get("pointer") or ""
        detail = _about_limit(first["code"], meta) or detail
        return ServiceRefusal(response.status_code, first["code"], detail, meta, pointer)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return ServiceRefusal(response.status_code, f"HTTP_{response.status_code}", response.reason_phrase)


def _about_limit(code: str, meta: Attributes) -> str:
    """What is larger than it may be, for the player."""
    match code, meta:
        case "SAVEGAME_FILE_TOO_LARGE", {"size_bytes": int(size), "max_bytes": int(most)}:
            what = meta.get("path") or "the save"
            return f"{what} has {size_text(size)}, and {size_text(most)} are allowed"
        case "SAVEGAME_FILE_TOO_LARGE", {"file_count": int(count), "max_files": int(most)}:
            return f"the save has {files_text(count)}, and {most} are allowed"
        case "USER_QUOTA_EXCEEDED", {"required_bytes": int(size), "used_bytes": int(used), "limit_bytes": int(most)}:
            until = f" until {meta['resets_at']}" if meta.get("resets_at") else ""
            limit = {"product": "saves of this game", "daily": "uploads of a day"}.get(str(meta.get("limit")), "saves")
            room = f"{size_text(used)} of {size_text(most)} for {limit} are used{until}"
            return f"{size_text(size)} more are needed; {room}"
    return ""


def retry_after(response: httpx.Response) -> float | None:
    """How long an answer asks for patience, in seconds; it may say until when instead."""
    said = response.headers.get("Retry-After", "")
    if said.isascii() and said.isdigit():
        return float(said)
    with suppress(ValueError, TypeError, OverflowError):
        until = parsedate_to_datetime(said)
        now = datetime.now(UTC)
        with suppress(ValueError, TypeError, OverflowError):  # by the clock of the one who said it
            now = parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    return None


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise UnexpectedAnswer(f"{response.url}: no JSON, but {response.headers.get('Content-Type')}") from error


def _attributes(answer: Any) -> Attributes:
    with reading("conflict"):
        return {"id": answer["data"]["id"], **answer["data"]["attributes"]}


def _without_nulls(said: Attributes) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value is not None}


def _preference_of(product_id: str | None) -> str:
    return "savegames/preferences" if product_id is None else f"savegames/policy/{product_id}/me"
