"""Numbers, ids and choices that depend on the seed and a label only, never on the order of calls or on the process."""

import hashlib
import random
import uuid
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def number(seed: int, *labels: object) -> int:
    """A 256-bit number that is always the same for this seed and these labels."""
    text = "/".join(str(label) for label in (seed, *labels))
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def guid(seed: int, *labels: object) -> str:
    """A GUID as Entra ID prints it: lower case, version 4."""
    return str(uuid.UUID(int=number(seed, "guid", *labels) >> 128, version=4))


def pick(options: Sequence[T], seed: int, *labels: object) -> T:
    """One of the options."""
    return options[number(seed, "pick", *labels) % len(options)]


def chance(percent: int, seed: int, *labels: object) -> bool:
    """True in about `percent` of a hundred labels."""
    return number(seed, "chance", *labels) % 100 < percent


def shuffled(options: Sequence[T], seed: int, *labels: object) -> list[T]:
    """A copy in another order."""
    copy = list(options)
    random.Random(number(seed, "shuffled", *labels)).shuffle(copy)
    return copy


def token(length: int, seed: int, *labels: object) -> str:
    """Lower-case letters and digits, as in the ids of organizations and organizational units."""
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
    value = number(seed, "token", *labels)
    return "".join(alphabet[(value >> (5 * place)) % len(alphabet)] for place in range(length))
