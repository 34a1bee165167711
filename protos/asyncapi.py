"""Writes ``protos/asyncapi.json``: ``python protos/asyncapi.py``. It is the AsyncAPI 3 document of events and messages.

It is made from the JSON Schemas in ``protos/schemas``, so a message is described once.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
SCHEMAS = HERE / "schemas"
OUTPUT = HERE / "asyncapi.json"

_VERSION = re.compile(r'^version = "(.+)"$', re.MULTILINE)
_DESCRIPTION = (
    "Events that the Library Service publishes and consumes over Kafka, and messages that it exchanges with a user's "
    "devices over a WebSocket. Kafka delivers at least once, and in order per user."
)
_DEAD_LETTERS = "com.platform.library.dlq.v1"
_WEBSOCKET = "/api/v1/ws/library-updates"
_FROM_CLIENTS = ("auth.token", "ping")

Schema = dict[str, Any]
Action = Literal["send", "receive"]


@dataclass(slots=True)
class Channel:
    """A topic, or one direction of the WebSocket."""

    address: str
    server: str
    action: Action
    description: str
    messages: list[str] = field(default_factory=list)


def document(version: str) -> Schema:
    """The whole document. Raises ValueError for an event without a topic and for a reference that leads nowhere."""
    schemas: dict[str, Schema] = {}
    messages: dict[str, Schema] = {}
    channels: dict[str, Channel] = _channels()
    for path in sorted(SCHEMAS.rglob("*.json")):
        name, described = _component(path.stem), json.loads(path.read_text(encoding="utf-8"))
        schemas |= _schemas(name, described)
        if path.parent != SCHEMAS:
            channels[_channel_of(path)].messages.append(name)
            messages[name] = _message(path, name, described)
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Library Service",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
            "contact": {"name": "Maintainers of the Library Service", "url": "https://gameshelf.example"},
            "tags": [{"name": "kafka", "description": "CloudEvents"}, {"name": "devices", "description": "WebSocket"}],
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {"host": "kafka.example:9092", "protocol": "kafka", "description": "The platform's brokers."},
            "websocket": {"host": "library.example", "protocol": "wss", "description": "The service itself."},
        },
        "channels": {name: _described_channel(channel) for name, channel in channels.items()},
        "operations": {
            f"{channel.action}{name[0].upper()}{name[1:]}": _operation(name, channel)
            for name, channel in channels.items()
        },
        "components": {"messages": messages, "schemas": schemas},
    }


def _channels() -> dict[str, Channel]:
    consumed: Mapping[str, str] = {
        "payment": "Purchases, keys and gifts.",
        "catalog": "Products, prices and sales.",
        "download": "Installations of games on devices.",
        "social": "Reviews.",
        "account": "Accounts that were deleted.",
    }
    return {
        "libraryEvents": Channel(
            "com.platform.library.events.v1", "kafka", "send", "Changes of a library. The key is the user's id."
        ),
        "notifications": Channel(
            "com.platform.notification.send.requests.v1",
            "kafka",
            "send",
            "Notifications that the Notification service has to send. The key is the user's id.",
        ),
        "deadLetters": Channel(_DEAD_LETTERS, "kafka", "send", "Records that can never be applied."),
        **{
            f"{name}Events": Channel(f"com.platform.{name}.events.v1", "kafka", "receive", description)
            for name, description in consumed.items()
        },
        "deviceMessages": Channel(_WEBSOCKET, "websocket", "send", "Messages to a user's devices."),
        "clientMessages": Channel(_WEBSOCKET, "websocket", "receive", "Messages from a device."),
    }


def _channel_of(path: Path) -> str:
    """The channel of a message by the name of its type: ``com.platform.payment.…`` comes with payments."""
    if path.parent.name == "messages":
        return "clientMessages" if path.stem in _FROM_CLIENTS else "deviceMessages"
    if path.stem == _DEAD_LETTERS:
        return "deadLetters"
    origin = path.stem.split(".")[2]
    return "notifications" if origin == "notification" else f"{origin}Events"


def _message(path: Path, name: str, described: Schema) -> Schema:
    is_cloud_event = path.parent.name == "events" and path.stem != _DEAD_LETTERS
    return {
        "name": path.stem,
        "title": described["title"],
        **({"summary": described["description"]} if "description" in described else {}),
        "contentType": "application/cloudevents+json" if is_cloud_event else "application/json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _described_channel(channel: Channel) -> Schema:
    return {
        "address": channel.address,
        "description": channel.description,
        "servers": [{"$ref": f"#/servers/{channel.server}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
    }


def _operation(name: str, channel: Channel) -> Schema:
    return {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.description,
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in channel.messages],
    }


def _schemas(name: str, described: Schema) -> dict[str, Schema]:
    """The components of one file: itself, and what it defines for itself."""
    local = {f"{name}{_component(inner)}": schema for inner, schema in described.pop("$defs", {}).items()}
    del described["$schema"]
    found = {name: described, **local}
    return {each: _referring(schema, name) for each, schema in found.items()}


def _referring(value: Any, name: str) -> Any:
    """The same schema, with its references led to the components of the document."""
    if isinstance(value, list):
        return [_referring(each, name) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _reference(each, name) if key == "$ref" and isinstance(each, str) else _referring(each, name)
        for key, each in value.items()
    }


def _reference(target: str, name: str) -> str:
    if target.startswith("#/$defs/"):
        return f"#/components/schemas/{name}{_component(target.removeprefix('#/$defs/'))}"
    path = SCHEMAS / "events" / target
    if not path.exists() and not (SCHEMAS / target).exists():
        raise ValueError(f"{name} refers to {target}, which is not there")
    return f"#/components/schemas/{_component(path.stem)}"


def _component(name: str) -> str:
    """``com.platform.library.game.added.v1`` → ``LibraryGameAddedV1``."""
    words = re.split(r"[._-]", name.removeprefix("com.platform."))
    return "".join(word[:1].upper() + word[1:] for word in words)


def text() -> str:
    """The document of the version that ``pyproject.toml`` names, as it is committed."""
    found = _VERSION.search((HERE / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("pyproject.toml has no version")
    return json.dumps(document(found[1]), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT).write_text(text(), encoding="utf-8")
