"""What Entra ID accepts as an appRoles collection, checked before anything is sent.

Laws (learn.microsoft.com graph/api/resources/approle and entra/identity-platform/howto-add-app-roles-in-apps):
ids and values are unique in the object, a value has no space and no leading dot, and 700 permission definitions are the
limit of an object: appRoles and oauth2PermissionScopes together, disabled ones and those of the application included.
An object above the limit may stay or shrink. The value may be longer than the 120 characters of the resource page: the
AWS tutorial of the gallery application says "less than 240" (entra/identity/saas-apps/amazon-web-service-tutorial).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.errors import TableError
from awsfed_lib.core.tables import rows

LIMIT = 700
LONGEST, DOCUMENTED = 239, 120
DEFAULT_ROLE = "msiam_access"
_CHARACTERS = re.compile(r"[0-9A-Za-z:!#$%&'()*+,\-./;<=>?@\[\]^_{|}~`]+")


class Capacity(NamedTuple):
    """Permission definitions of one object: `used` of `limit`, of which `disabled` still count, and `free`."""

    used: int
    limit: int
    disabled: int
    free: int


def capacity(live: pd.DataFrame, scopes: int = 1) -> Capacity:
    """Count the definitions of APP_ROLES and the `scopes` ids that are not appRole ids; each distinct id counts once."""
    roles = {row["app_role_id"]: row for row in rows(live)}
    used = len(roles) + scopes
    return Capacity(used, LIMIT, sum(not row["is_enabled"] for row in roles.values()), max(0, LIMIT - used))


def flaw(value: str) -> str:
    """Say why Entra ID would refuse this value of an appRole; "" when it would not."""
    if len(value) > LONGEST:
        over = len(value) - LONGEST
        return f"{len(value)} characters; at most {LONGEST} fit, so shorten the role path or name, or the provider name, by {over}"
    if value.startswith("."):
        return "it begins with a dot"
    if not _CHARACTERS.fullmatch(value):
        wrong = sorted({letter for letter in value if not _CHARACTERS.fullmatch(letter)})
        return f"it holds characters that a value may not have: {' '.join(map(repr, wrong))}" if wrong else "it is empty"
    return ""


def caution(value: str) -> str:
    """Say what to look at although the value is accepted; "" when there is nothing."""
    if len(value) > DOCUMENTED:
        return f"{len(value)} characters: more than the {DOCUMENTED} of the resource page, accepted up to {LONGEST}."
    return ""


def check_values(values: Iterable[str]) -> None:
    """Raise TableError naming the values that Entra ID would refuse, and those that come twice (case ignored)."""
    listed = sorted(values)
    flawed = [f"{value} ({why})" for value in listed if (why := flaw(value))]
    if flawed:
        raise TableError(
            f"{len(flawed)} appRole values would be refused: {'; '.join(flawed[:5])}.",
            remedy="Nothing was sent. Rename the roles, or leave their accounts out (exclude_accounts).",
        )
    _refuse_repeats("value", listed)


def check_growth(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], scopes: int) -> None:
    """Raise TableError when `after` has more definitions than the limit allows, unless it does not grow."""
    used, now = _used(before, scopes), _used(after, scopes)
    if now > max(LIMIT, used):
        raise TableError(
            f"{now} permission definitions exceed the limit of {LIMIT} by {now - max(LIMIT, used)}: "
            f"{len(after)} appRoles and {scopes} scopes, disabled ones counted. Live are {used}. Nothing was sent.",
            remedy="Remove appRoles that AWS no longer has (max_removed), or put some accounts on another application.",
        )


def fits(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], scopes: int) -> bool:
    """Whether Entra ID takes `after` in place of `before`: unique values, and room for it."""
    values = [entry["value"].casefold() for entry in after if entry.get("value")]
    return len(values) == len(set(values)) and _used(after, scopes) <= max(LIMIT, _used(before, scopes))


def check_ids(entries: Sequence[Mapping[str, Any]]) -> None:
    """Raise TableError when two entries have one id."""
    _refuse_repeats("id", [entry["id"] for entry in entries])


def _used(entries: Sequence[Mapping[str, Any]], scopes: int) -> int:
    return len({entry["id"] for entry in entries}) + scopes


def _refuse_repeats(what: str, texts: Iterable[str]) -> None:
    twice = sorted(text for text, number in Counter(text.casefold() for text in texts).items() if number > 1)
    if twice:
        raise TableError(f"Two appRoles have one {what}: {'; '.join(twice[:5])}.", remedy="Entra ID takes each only once.")
