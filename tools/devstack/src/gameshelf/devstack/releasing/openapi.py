"""Writes the OpenAPI document that the service answers: ``python -m gameshelf.devstack.releasing.openapi PATH``."""

import json
import sys
from pathlib import Path

from gameshelf.gateway.runtime.http import openapi
from gameshelf.gateway.wiring import ERRORS, ROUTES


def text() -> str:
    """The document, indented."""
    return json.dumps(openapi.document(ROUTES, ERRORS.codes), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
