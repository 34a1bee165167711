"""Finds misspelt names of variables, which would silently leave a setting at its default."""

import re
from collections.abc import Collection, Mapping

PREFIX = "LIBRARY_SERVICE_"

# Kubernetes sets these variables in every container for a service that is called library-service.
_INJECTED = re.compile(rf"{PREFIX}(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP)(?:_[A-Z]+)?)")
_INJECTED_PORT = (f"{PREFIX}PORT", re.compile(r"(?:tcp|udp)://.*"))


def misspelt(environ: Mapping[str, str], known: Collection[str]) -> str | None:
    """Describes the first misspelt variable in one line that begins with its name; returns None if there is none.

    A variable is misspelt if it begins with ``LIBRARY_SERVICE_``, or is one edit away from the name of a setting. All
    others belong to other programs (``REDIS_PORT``, ``KAFKA_SERVICE_HOST``). Variables without a value are ignored.
    """
    for name in sorted(environ):
        if not environ[name].strip() or name in known or _is_injected(name, environ[name]):
            continue
        near = next((other for other in sorted(known) if is_one_edit(name, other)), None)
        if near:
            return f"{name}: no setting has this name; {near} is meant"
        if name.startswith(PREFIX):
            return f"{name}: no setting has this name (docs/configuration.md lists them)"
    return None


def is_one_edit(first: str, second: str) -> bool:
    """Returns whether one added, removed or changed letter, or a swap of two neighbours, makes one of the other.

    >>> is_one_edit("REDIS_TSL", "REDIS_TLS"), is_one_edit("REDIS_PORT", "REDIS_ADDR")
    (True, False)
    """
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    at = next(
        (index for index, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]),
        min(len(first), len(second)),
    )
    if len(first) == len(second):
        swapped = first[:at] + first[at : at + 2][::-1] + first[at + 2 :]
        return first[at + 1 :] == second[at + 1 :] or swapped == second
    shorter, longer = sorted((first, second), key=len)
    return shorter[at:] == longer[at + 1 :]


def _is_injected(name: str, value: str) -> bool:
    port, form = _INJECTED_PORT
    return bool(_INJECTED.fullmatch(name)) or (name == port and bool(form.fullmatch(value)))
