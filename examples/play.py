"""A game reports a session and an achievement: ``python examples/play.py TOKEN USER PRODUCT [ACHIEVEMENT]``.

The token is the player's own, or one of role ``service``. It needs the package ``gameshelf-protos``; the variable
LIBRARY_GRPC names another address. A real game sends a heartbeat a minute; this one sends three, and has played enough.
"""

import os
import sys
from collections.abc import Iterator

import grpc
from gameshelf.protos.library.v1 import achievement_service_pb2 as achievements
from gameshelf.protos.library.v1 import playtime_tracker_service_pb2 as playtime
from gameshelf.protos.library.v1.achievement_service_pb2_grpc import AchievementServiceStub
from gameshelf.protos.library.v1.playtime_tracker_service_pb2_grpc import PlaytimeTrackerServiceStub

ADDRESS = os.environ.get("LIBRARY_GRPC", "127.0.0.1:9094")


def play(token: str, user_id: str, product_id: str, achievement_id: str | None = None) -> None:
    """Starts, streams heartbeats, unlocks, ends; prints what comes back."""
    caller = (("authorization", f"Bearer {token}"),)
    with grpc.insecure_channel(ADDRESS) as channel:
        tracker = PlaytimeTrackerServiceStub(channel)
        start = playtime.StartPlaytimeSessionRequest(user_id=user_id, product_id=product_id, device_id="example")
        session = tracker.StartPlaytimeSession(start, metadata=caller, timeout=5).session
        print(f"playing since {session.start_time.ToJsonString()}")
        for answer in tracker.StreamPlaytimeHeartbeats(heartbeats(session), metadata=caller, timeout=30):
            print(f"heartbeats up to {answer.acknowledged_sequence} are kept", *answer.refusals)
        if achievement_id:
            progress = achievements.UpdateAchievementProgressRequest(
                user_id=user_id, achievement_id=achievement_id, unlock=True
            )
            result = AchievementServiceStub(channel).UpdateAchievementProgress(progress, metadata=caller, timeout=5)
            print(f"{result.status.api_name}: {'unlocked' if result.newly_unlocked else 'as before'}")
        end = playtime.EndPlaytimeSessionRequest(user_id=user_id, session_id=session.session_id)
        ended = tracker.EndPlaytimeSession(end, metadata=caller, timeout=5).session
        print(f"{ended.end_reason} after {ended.duration_seconds} s")


def heartbeats(session: playtime.PlaytimeSession) -> Iterator[playtime.StreamPlaytimeHeartbeatsRequest]:
    """Three messages; each could carry the sessions of many players."""
    heartbeat = playtime.PlaytimeHeartbeat(user_id=session.user_id, session_id=session.session_id)
    for sequence in range(1, 4):
        yield playtime.StreamPlaytimeHeartbeatsRequest(sequence=sequence, heartbeats=[heartbeat])


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    try:
        play(*sys.argv[1:])
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
