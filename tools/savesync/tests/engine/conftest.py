"""Devices with folders, and the fake service with plans, lineage, conflicts and guards."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner
from gameshelf.savesync import cli
from gameshelf.savesync.canonical import canonical_hash
from gameshelf.savesync.game import GameSync
from gameshelf.savesync.paths import System
from gameshelf.savesync.places import Machine
from gameshelf.savesync.policy import FolderPolicy
from gameshelf.savesync.report import SyncIntent
from gameshelf.savesync.setup import SyncOptions, SyncSetup
from gameshelf.savesync.state import Device
from gameshelf.savesync.units import unit_of

PRODUCT = "9e107d9d-372b-4cb6-8a5b-6d1f6f3f6c11"
POLICY = {
    "revision": 1,
    "merge": "units",
    "roots": {"saves": {"where": [{"path": "<home>/game/saves"}], "include": ["**/*.sav"]}},
    "units": [{"name": "{w}", "match": ["saves/{w}/**"]}],
    "settle_seconds": 1,
}
NOTHING = {"action": "none", "reason": "nothing"}


def identity_of(files):
    return canonical_hash((file.get("raw_sha256") or file["sha256"], file["path"]) for file in files)


@dataclass
class History:
    """The lineage of a slot."""

    head: int = 0
    parents: dict = field(default_factory=dict)
    devices: dict = field(default_factory=dict)

    def ancestors(self, version):
        found, left = set(), [version]
        while left:
            for parent in self.parents.get(left.pop(), ()):
                if parent and parent not in found:
                    found.add(parent)
                    left.append(parent)
        return found


class Cloud:
    """Adds to the fake service what a synchronisation asks for, by the rules of the design."""

    def __init__(self, service):
        self.service, self.inner, self.policy = service, service.route, POLICY
        self.histories, self.conflicts, self.guards, self.plans, self.newer = {}, {}, True, [], {}
        self.refusal = service.begin.__func__.__globals__["Refusal"]
        service.route, service.commit = self.route, self.commit

    def history(self, slot):
        return self.histories.setdefault(slot.id, History())

    def head_files(self, name="main"):
        slot = self.service.slots[name]
        return {file["path"]: self.service.contents[file["sha256"]] for file in slot.versions[self.history(slot).head]}

    def route(self, method, parts, said, query):
        match method, parts:
            case "POST", ["plan"]:
                return 200, self.plan(said)
            case "GET", ["policy", _]:
                return 200, {"data": {"id": PRODUCT, "attributes": self.policy}}
            case "GET", []:
                shown = [self.version(slot, self.history(slot).head) for slot in self.service.slots.values()]
                return 200, {"data": [one for one in shown if one["attributes"]["version"]], "links": {}}
            case "POST", ["uploads"]:
                self.check(said)
            case "GET", ["conflicts", conflict_id]:
                return 200, {"data": self.conflict(conflict_id)}
            case "POST", ["conflicts", conflict_id, "resolve"]:
                return 200, self.resolve(conflict_id, said)
            case "GET", [savegame_id, "versions"]:
                slot = self.service.slot(savegame_id)
                return 200, {"data": [self.version(slot, one) for one in sorted(slot.versions)[::-1]], "links": {}}
            case "POST", [savegame_id, "restore"]:
                slot = self.service.slot(savegame_id)
                head = self.history(slot).head
                return 200, self.made(slot, slot.versions[said["version"]], (head,), said["device_id"])
            case "POST", [savegame_id, "synced"]:
                self.history(self.service.slot(savegame_id)).devices[said["device_id"]] = said["version"]
        return self.inner(method, parts, said, query)

    def base_of(self, slot, said):
        base = said.get("base_version")
        return self.history(slot).devices.get(said["device_id"], 0) if base is None else base

    def check(self, said):
        """The guards of an upload."""
        slot = self.service.slots.get(said["save_slot_name"])
        if said.get("policy_revision") not in (None, self.policy["revision"]):
            raise self.refusal(409, "SAVEGAME_POLICY_CHANGED", {"policy_revision": self.policy["revision"]})
        if slot is None or not slot.versions or not self.guards:
            return
        history = self.history(slot)
        if self.base_of(slot, said) != history.head or identity_of(said["files"]) == self.identity(slot, history.head):
            return
        if history.devices.get(said["device_id"]) != history.head:
            raise self.refusal(409, "SAVEGAME_BASE_NOT_SYNCED", {"head_version": history.head})
        gone = {file["path"] for file in slot.versions[history.head]} - {file["path"] for file in said["files"]}
        if len(gone) * 2 > len(slot.versions[history.head]) >= 3 and said.get("confirm_removals") != len(gone):
            raise self.refusal(409, "SAVEGAME_SHRINKS", {"removed": len(gone), "bytes": 1, "units": []})

    def identity(self, slot, version):
        return identity_of(slot.versions[version]) if version else None

    def commit(self, upload):
        service = self.service
        if missing := service.missing(upload):
            named = [{"sha256": sha, "path": file["path"]} for sha, (file, _) in missing.items()]
            raise self.refusal(422, "SAVEGAME_UPLOAD_INCOMPLETE", {"missing": named, "missing_count": len(named)})
        for file in upload.attributes["files"]:
            parts = [service.arrived[key] for key in sorted(service.arrived) if key[:2] == (upload.id, file["sha256"])]
            service.contents.setdefault(file["sha256"], b"".join(parts))
        if isinstance(upload.committed, Exception):
            raise upload.committed
        if upload.committed:
            return upload.committed
        slot, said = upload.slot, upload.attributes
        history, base, identity = self.history(slot), self.base_of(slot, said), identity_of(said["files"])
        if identity == self.identity(slot, history.head):
            history.devices[said["device_id"]] = history.head
            upload.committed = 200, {"data": self.version(slot, history.head), "meta": {"result": "identical"}}
        elif base != history.head and identity in {self.identity(slot, one) for one in history.ancestors(history.head)}:
            upload.committed = 200, {"data": self.version(slot, history.head), "meta": {"result": "behind"}}
        elif base == history.head:
            upload.committed = 200, self.made(slot, said["files"], (base,), said["device_id"], result="head")
        else:
            upload.committed = self.branch(slot, said, base)
            raise upload.committed
        return upload.committed

    def branch(self, slot, said, base):
        history, version = self.history(slot), max(slot.versions) + 1
        slot.versions[version], history.parents[version] = said["files"], (base,)
        history.devices[said["device_id"]] = version
        earlier = [key for key, one in self.conflicts.items() if one["device_id"] == said["device_id"]]
        conflict_id = earlier[0] if earlier else str(uuid4())
        self.conflicts[conflict_id] = {"slot": slot, "branch": version, "device_id": said["device_id"]}
        shown = self.conflict(conflict_id)["attributes"]
        sides = {key: shown[key] for key in ("savegame_id", "head", "branch", "base_version")}
        return self.refusal(409, "SAVEGAME_VERSION_CONFLICT", {**sides, "conflict_id": conflict_id})

    def made(self, slot, files, parents, device_id, **meta):
        history, version = self.history(slot), max(slot.versions, default=0) + 1
        slot.versions[version], history.parents[version], history.head = files, parents, version
        if meta:
            history.devices[device_id] = version
        return {"data": self.version(slot, version), "meta": meta}

    def version(self, slot, version):
        files = slot.versions.get(version, [])
        attributes = {"version": version, "slot_name": slot.name, "content_identity": identity_of(files)}
        attributes |= {"file_size_bytes": sum(file["size_bytes"] for file in files), "file_count": len(files)}
        attributes |= {"server_uploaded_at": "2026-05-20T19:30:02Z", "device_id": "deck", "status": "history"}
        return {"id": slot.id, "type": "savegame", "attributes": attributes}

    def sides(self, conflict_id):
        one = self.conflicts[conflict_id]
        slot, branch = one["slot"], one["branch"]
        history = self.history(slot)
        common = (history.ancestors(branch) & history.ancestors(history.head)) | {0}
        return slot, history, branch, max(common)

    def units(self, slot, version):
        files = {file["path"]: file for file in slot.versions.get(version, [])}
        rules = FolderPolicy.parse(self.policy).units
        found = {}
        for path, file in files.items():
            found.setdefault(unit_of(path, rules), {})[path] = file
        return found

    def conflict(self, conflict_id):
        if conflict_id not in self.conflicts:
            raise self.refusal(404, "CONFLICT_NOT_FOUND")
        slot, history, branch, base = self.sides(conflict_id)
        differences = []
        sides = [self.units(slot, version) for version in (base, history.head, branch)]
        for unit in sorted({name for side in sides for name in side}):
            was, head, mine = ({p: f["sha256"] for p, f in side.get(unit, {}).items()} for side in sides)
            if head == mine:
                continue
            kind = "branch_changed" if head == was else "head_changed" if mine == was else "both_changed"
            suggested = {"branch_changed": "branch", "head_changed": "head"}.get(kind)
            differences += [
                {"path": path, "unit": unit, "kind": kind, "suggested": suggested}
                for path in sorted(was.keys() | head.keys() | mine.keys())
                if len({was.get(path), head.get(path), mine.get(path)}) > 1
            ]
        attributes = {"savegame_id": slot.id, "slot_name": slot.name, "base_version": base}
        attributes |= {"head": self.version(slot, history.head), "branch": self.version(slot, branch)}
        attributes |= {"differences": differences, "differences_count": len(differences)}
        return {"id": conflict_id, "attributes": attributes}

    def resolve(self, conflict_id, said):
        shown = self.conflict(conflict_id)["attributes"]
        slot, history, branch, _ = self.sides(conflict_id)
        if (said["head_version"], said["branch_version"]) != (history.head, branch):
            raise self.refusal(409, "SAVEGAME_VERSION_CONFLICT", {})
        files = slot.versions[branch if said["resolution"] == "keep_local" else history.head]
        if said["resolution"] == "merge":
            head, mine = self.units(slot, history.head), self.units(slot, branch)
            sides = {one["unit"]: said["units"].get(one["unit"], one["suggested"]) for one in shown["differences"]}
            names = sorted(head.keys() | mine.keys())
            chosen = [(mine if sides.get(name) == "branch" else head).get(name, {}) for name in names]
            files = [file for unit in chosen for file in unit.values()]
        del self.conflicts[conflict_id]
        return self.made(slot, files, (history.head, branch), None)

    def plan(self, said):
        self.plans.append(said)
        answers = []
        for place, asked in enumerate(said["slots"]):
            slot = self.service.slots.get(asked["slot_name"])
            if asked.get("savegame_id") and (slot is None or slot.id != asked["savegame_id"]):
                raise self.refusal(
                    404, "SAVEGAME_SLOT_NOT_FOUND", pointer=f"/data/attributes/slots/{place}/savegame_id"
                )
            answer = {"slot_name": asked["slot_name"]}
            if slot is None or not slot.versions:
                answer |= {"action": "upload", "reason": "new"} if asked["content_hash"] else NOTHING
            else:
                answer |= self.advice(slot, asked, said["device_id"])
            answers.append(answer | self.newer.get(asked["slot_name"], {}))
        attributes = {"slots": answers, "others": [], "proceed": "yes", "policy_revision": self.policy["revision"]}
        if said["policy_revision"] != self.policy["revision"]:
            attributes["policy"] = self.policy
        return {"data": {"attributes": attributes}, "meta": {"auto_sync": True}}

    def advice(self, slot, asked, device_id):
        history, mine = self.history(slot), asked["content_hash"]
        base = history.devices.get(device_id, 0) if asked.get("base_version") is None else asked["base_version"]
        answer = {"savegame_id": slot.id, "head_version": history.head}
        mine_open = [key for key, one in self.conflicts.items() if one["device_id"] == device_id]
        known = {self.identity(slot, one): one for one in sorted(history.ancestors(history.head))}
        if mine is None:
            return {**answer, "action": "download", "reason": "not_here"}
        if mine_open:
            return {**answer, "action": "conflict", "reason": "open_conflict", "conflict_id": mine_open[0]}
        if mine == self.identity(slot, history.head):
            return {**answer, "action": "none", "reason": "identical"}
        if base == history.head and mine in known:
            return {**answer, "action": "upload", "reason": "regresses", "regresses_to": known[mine]}
        if base == history.head:
            return {**answer, "action": "upload", "reason": "changed"}
        if mine in known:
            return {**answer, "action": "download", "reason": "behind"}
        return {**answer, "action": "conflict", "reason": "diverged"}


class Shown:
    """A progress that remembers."""

    def __init__(self):
        self.said, self.steps, self.on_step = [], [], None

    def say(self, text):
        self.said.append(text)

    def transfer(self, title):
        return self

    def expect(self, size):
        pass

    def advance(self, size):
        pass

    def applied(self, done, total):
        self.steps.append((done, total))
        if self.on_step:
            self.on_step(done)


class Player:
    """A device with its folders and its client."""

    def __init__(self, name, home, api, store, pause):
        self.home, self.name = home / name, name
        self.saves, self.decisions, self.shown = self.home / "game" / "saves", [], Shown()
        self.saves.mkdir(parents=True)
        machine = Machine(System.LINUX, self.home, "player")
        self.setup = SyncSetup(PRODUCT, Device(name, name), machine, self.home / "state", self.home / "cache.db")
        self.made = (api, store, pause)

    def sync_of(self, **changes):
        api, store, pause = self.made
        setup = replace(self.setup, **changes)
        return GameSync(setup, api, store, decide=self.decide, progress=self.shown, pause=pause)

    def decide(self, conflict):
        decision = self.decisions.pop(0) if self.decisions else None
        return decision(conflict) if callable(decision) else decision

    async def run(self, intent=SyncIntent.MANUAL, **options):
        report = await self.sync_of().run(intent, SyncOptions(**{"is_immediate": True, **options}))
        json.dumps(report.to_json())
        return report

    def write(self, **files):
        for name, content in files.items():
            self.put(f"{name}.sav", content)

    def put(self, name, content):
        file = self.saves / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())

    @property
    def files(self):
        """The files of the game's folder; nothing of the client may be left there."""
        return {
            file.relative_to(self.saves).as_posix(): file.read_bytes().decode()
            for file in self.saves.rglob("*")
            if file.is_file()
        }


@pytest.fixture
def cloud(service):
    return Cloud(service)


@pytest.fixture
def player(cloud, api, store, pause, disk):
    return lambda name: Player(name, disk, api, store, pause)


@pytest.fixture
def deck(player):
    return player("deck")


@pytest.fixture
def desktop(player):
    return player("desktop")


@pytest.fixture
def commands_on(cloud, service, objects, tmp_path, monkeypatch):
    """Runs commands on a machine: each has a home of its own, and the same cloud."""

    @asynccontextmanager
    async def connections():
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(service)) as to_service,
            httpx.AsyncClient(transport=httpx.ASGITransport(objects)) as to_store,
        ):
            yield to_service, to_store

    monkeypatch.setattr(cli, "_connections", connections)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def on(name):
        home = tmp_path / name
        (home / "game" / "saves").mkdir(parents=True, exist_ok=True)

        def run(*arguments, token="token", **options):
            variables = {"HOME": str(home), "LIBRARY_TOKEN": token, "SAVESYNC_PRODUCT": PRODUCT, "COLUMNS": "80"}
            return CliRunner().invoke(cli.main, arguments, env=variables | options.pop("env", {}), **options)

        run.saves = home / "game" / "saves"
        return run

    return on
