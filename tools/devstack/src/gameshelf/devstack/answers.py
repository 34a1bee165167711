"""Answers of the REST API, as tests read them, of any client whose responses have ``status_code`` and ``json``."""

from typing import Any


def code_of(response: Any) -> tuple[int, str]:
    """The status and the code of the first error of an answer that must be a refusal."""
    return response.status_code, response.json()["errors"][0]["code"]


def attributes_of(response: Any, status: int = 200) -> Any:
    """The attributes of the resource in an answer that must have this status."""
    assert response.status_code == status, response.text
    return response.json()["data"]["attributes"]
