"""The topic of each event type that the service consumes, read without importing the service.

The source is the table that the service itself uses; ``python -m gameshelf.devstack.consumed_topics`` writes its
generated copy again, and a test compares the two.
"""

import json
from functools import cache
from pathlib import Path

_COPY = Path(__file__).with_suffix(".json")


@cache
def consumed_topics() -> dict[str, str]:
    """Event type → topic, for every type that the service consumes."""
    return dict(json.loads(_COPY.read_text(encoding="utf-8")))


def topics_of_the_service() -> dict[str, str]:
    """The same from the service's own table. Importing the service takes seconds."""
    from gameshelf.gateway.wiring import CONSUMED

    return dict(sorted(CONSUMED.topic_of.items()))


if __name__ == "__main__":
    _COPY.write_text(json.dumps(topics_of_the_service(), indent=2) + "\n", encoding="utf-8")
