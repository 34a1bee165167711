"""A day of simulated play: devices that crash, sleep and play offline, clocks that are apart; every total is recounted.

Two instances serve it. What should come out is kept beside the service, second by second, from what each device knows.
``DAY_USERS=1000 ./dev test services/gateway/tests/domains/playtime/liveness/test_day.py`` plays the long day.
"""

import asyncio
import os
import random
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from gameshelf.gateway.domains.playtime import jobs
from gameshelf.gateway.domains.playtime.live_sessions import member
from gameshelf.playtime import OfflineSession, PlaytimeService

USERS = int(os.environ.get("DAY_USERS", "120"))
DEVICES = 3
MINUTES = 16 * 60
"""From morning to midnight."""
SKEW = timedelta(seconds=2.7)
"""The second instance's clock is so far ahead."""
SHARDS = 4


@pytest.fixture(autouse=True)
def some_shards(monkeypatch):
    """All sessions lie in a quarter of the shards, and only those are watched: most of a day is looks at shards."""
    monkeypatch.setattr(jobs, "SHARDS", SHARDS)
    monkeypatch.setattr(
        sys.modules[PlaytimeService.__module__], "uuid4", lambda: UUID(int=uuid4().int % (SHARDS << 124))
    )


@dataclass
class Stretch:
    """A stretch of play on a device, with its first and last minute, and the way that it ends."""

    begin: int
    end: int
    how: str
    """``end``: the game says so; ``crash``: it doesn't; ``sleep``: the device sleeps in the middle; ``offline``."""
    asleep: range = range(0)


@dataclass
class Device:
    user: object
    name: str
    stretches: list[Stretch]
    session: object = None
    started_at: object = None
    last_sign: object = None
    offline: list = field(default_factory=list)


def plan(chance, user, number):
    """One device's day."""
    stretches, minute = [], chance.randrange(0, 200)
    while minute < MINUTES - 60:
        length = chance.randrange(2, 150)
        how = chance.choice(["end", "end", "crash", "sleep", "offline"])
        end = min(minute + length, MINUTES - 30)
        asleep = range(0)
        if how == "sleep":
            begin = chance.randrange(minute + 1, end) if end > minute + 1 else end
            asleep = range(begin, begin + chance.choice([2, 3, 4, 12, 40]))  # never near the time-out itself
        stretches.append(Stretch(minute, end, how, asleep))
        minute = end + chance.randrange(20, 400)
    return Device(user, f"device {number}", stretches)


class Day:
    """Plays the devices' plans minute by minute."""

    def __init__(self, world, instances, chance, game):
        self.world, self.instances, self.chance, self.game = world, instances, chance, game
        self.played = {}
        """By user the stretches that should count."""

    def counts(self, device, until):
        if until > device.started_at:
            self.played.setdefault(device.user, []).append((device.started_at, until.replace(microsecond=0)))

    async def minute(self, devices, now):
        beating = []
        async with asyncio.TaskGroup() as tasks:
            for device in devices:
                for stretch in device.stretches:
                    if stretch.begin <= now <= stretch.end:
                        if stretch.how == "offline":
                            self.play_offline(device, stretch, now)
                        elif now == stretch.begin or (device.session is None and now not in stretch.asleep):
                            tasks.create_task(self.start(device))
                        elif now == stretch.end and stretch.how != "crash":
                            tasks.create_task(self.end(device))
                        elif now not in stretch.asleep and now != stretch.end:
                            beating.append(device)
                    elif now == stretch.end + 1:
                        tasks.create_task(self.report_offline(device))
        await self.beat(beating)

    async def start(self, device):
        instance = self.chance.choice(self.instances)
        session = await instance.start(device.user, self.game, device.name)
        if session.id != device.session:
            if device.session is not None:  # the one that crashed ended at its last sign of life
                self.counts(device, device.last_sign)
            device.session, device.started_at = session.id, session.start_time
        device.last_sign = instance.clock()

    async def end(self, device):
        if device.session is None:
            return
        instance = self.chance.choice(self.instances)
        ended = await instance.end(device.user, device.session)
        self.counts(device, instance.clock() if ended.end_reason == "completed" else device.last_sign)
        device.session = None

    async def beat(self, devices):
        for index, instance in enumerate(self.instances):
            mine = [device for number, device in enumerate(devices) if number % len(self.instances) == index]
            members = {member(device.user, device.session): device for device in mine if device.session is not None}
            refusals = await instance.heartbeats.add_heartbeats(members).refusals(members)
            for one, device in members.items():
                if one in refusals:  # it slept for too long: the next minute begins a new session
                    assert refusals[one].code == "SESSION_ALREADY_ENDED"
                    self.counts(device, device.last_sign)
                    device.session = None
                else:
                    device.last_sign = max(device.last_sign, instance.clock())

    def play_offline(self, device, stretch, now):
        if now == stretch.end:
            # The device's own clock is up to four minutes off.
            off = timedelta(seconds=self.chance.randrange(-240, 240))
            end = self.world.now + off
            begin = end - timedelta(minutes=stretch.end - stretch.begin)
            device.offline.append((begin, end))

    async def report_offline(self, device):
        """Reports what was played offline once the device is back online, and sometimes twice."""
        reported, device.offline = device.offline, []
        if not reported:
            return
        sessions = [
            OfflineSession(client_session_id=uuid4().hex, product_id=self.game, start_time=begin, end_time=end)
            for begin, end in reported
        ]
        for _ in range(self.chance.choice([1, 1, 2])):
            instance = self.chance.choice(self.instances)
            async with instance.transactions.begin(device.user) as transaction:
                results = await transaction.of(PlaytimeService).import_sessions(device.user, sessions)
        assert {result.result for result in results} <= {"accepted", "duplicate"}
        self.played.setdefault(device.user, []).extend(reported)


def seconds_of(stretches):
    """The length of the union, counted in another way than the service does: by its edges."""
    edges = sorted([(begin, 1) for begin, _ in stretches] + [(end, -1) for _, end in stretches])
    total, depth, since = 0, 0, None
    for at, change in edges:
        if depth and since is not None:
            total += (at - since).total_seconds()
        depth, since = depth + change, at
    return int(total)


@pytest.mark.long(minutes=3)
async def test_a_day_of_play_adds_up(world):
    chance = random.Random(20260520)
    game, users = uuid4(), [uuid4() for _ in range(USERS)]
    devices = [plan(chance, user, number) for user in users for number in range(DEVICES)]
    async with world.instance() as one, world.instance() as two:
        two.set_clock(lambda: world.now + SKEW)
        for user in users:
            await one.own(user, game, world.now - timedelta(days=30))
        day = Day(world, [one, two], chance, game)
        for now in range(MINUTES):
            world.later(60)
            await day.minute(devices, now)
            await (one, two)[now % 2].look()
        for _ in range(10):  # what crashed in the evening is ended
            world.later(60)
            await one.look()
    for device in devices:
        if device.session is not None:
            day.counts(device, device.last_sign)
    reasons = set()
    for user in users:
        ledger, totals, shown, rows, notified = await world.sessions(user)
        assert all(row["end_time"] for row in rows)
        assert notified == len(rows)
        reasons |= {row["end_reason"] for row in rows}
        expected = seconds_of(day.played.get(user, []))
        assert totals.get(game, 0) == expected == seconds_of([(one.start, one.end) for one in ledger.get(game, [])])
        assert shown.get(game, 0) == expected
    assert reasons == {"completed", "timeout", "imported"}
