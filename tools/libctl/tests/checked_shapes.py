"""Compares the JSON of a command with the schema that the command prints of it."""

from typing import Any

import click
import jsonschema_rs
from gameshelf.libctl.main import cli
from gameshelf.libctl.shapes import schema_of, shape_of


def check_shape(words: tuple[object, ...], data: Any) -> None:
    """Checks that JSON is as the schema of its command says, and has nothing besides."""
    command: Any = cli
    names = []
    for word in map(str, words):
        if isinstance(command, click.Group) and (found := command.get_command(click.Context(command), word)):
            command = found
            names.append(word)
    shape = shape_of(command)
    assert shape, f"{' '.join(names)} has no schema"
    jsonschema_rs.validate(schema_of(" ".join(names), shape, is_closed=True), data)
