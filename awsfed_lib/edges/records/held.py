"""The secrets that this process holds, by value: so that they can be looked for where they must not be.

Whoever obtains one (a token, a key, a passphrase) says so here. They stay in memory, show themselves to nobody, and are
never written; the `outlet` takes them out of what a kernel says, and `leaks` looks for them in a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from awsfed_lib.core.settings.disguises import searchable
from awsfed_lib.core.settings.secrecy import named

_ALSO = frozenset({"IDENTITY_HEADER", "MSI_HEADER"})  # secrets of Azure's managed identity endpoints, by names that do not say so
_NOT = frozenset({"PWD", "OLDPWD"})  # folders, by names that sound otherwise
_NO_SECRET = re.compile(r"arn:.*|\d{4}-\d\d-\d\dT.*|[0-9a-fA-F-]{36}|true|false|0|1", re.DOTALL)
_LARGEST_FILE = 64 * 1024
_BODY = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----|\s+")


class Held:
    """A set of secrets. Shown, it says how many."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()

    def add(self, secrets: Iterable[str]) -> None:
        """Take up those of `secrets` that can be searched for; a key in PEM counts by its letters, whatever its line breaks."""
        plain = {_BODY.sub("", secret) if secret.startswith("-----BEGIN") else secret.strip() for secret in secrets}
        self._values |= {secret for secret in plain if searchable(secret)}  # a new set: others may be reading the old one

    @property
    def values(self) -> frozenset[str]:
        """The secrets themselves."""
        return self._values

    def __repr__(self) -> str:
        return f"Held({len(self._values)} secrets)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("Secrets are not written down.")


_OWN = Held()  # of the process, as its memory and its environment are


def hold(*secrets: str) -> None:
    """Say that this process holds `secrets` from now on."""
    _OWN.add(secrets)


def held() -> frozenset[str]:
    """Return all secrets that this process holds."""
    return _OWN.values


def of_environment(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the secrets among environment variables: by the name of the variable, and passwords in addresses of proxies."""
    return frozenset(found for name, value in environment.items() for found in _of_variable(name, value) if searchable(found))


def _of_variable(name: str, value: str) -> Iterator[str]:
    if "://" in value:
        with suppress(ValueError):
            yield unquote(urlsplit(value).password or "")
    elif (named(name) or name.upper() in _ALSO) and name.upper() not in _NOT and value and not _NO_SECRET.fullmatch(value):
        yield from _content(value)


def _content(value: str) -> Iterator[str]:
    """Yield the value, or what stands in the file that it names: a token file of a workload, an unlocked key."""
    path = Path(value)
    try:
        if not path.exists():
            yield value
        elif path.is_file() and path.stat().st_size <= _LARGEST_FILE:
            yield path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return
