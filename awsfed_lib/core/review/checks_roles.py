"""Checks of the application, its appRoles and their IAM roles, one small function each; the table of them is in audit.py."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from awsfed_lib.core.label import fill
from awsfed_lib.core.review.evidence import Evidence, Item
from awsfed_lib.core.review.links import Terms
from awsfed_lib.core.roles.body import DEFAULT_ROLE, Capacity, capacity, caution, flaw
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.roles.trust import USABLE
from awsfed_lib.core.tables import OPEN

NEARLY_FULL = 0.9


def default_role_missing(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find an application without the default role of the gallery: another object, or a broken one."""
    ours = any(row["display_name"] == DEFAULT_ROLE for row in evidence.app_role_rows.values()) or evidence.pairs
    if not ours:
        yield Item("", DEFAULT_ROLE, "The appRoles hold no msiam_access: a wrong object, a broken one, or an answer that was not whole.")


def no_room(evidence: Evidence, terms: Terms) -> Iterator[Item]:
    """Find out that no appRole can be added any more."""
    room = capacity(evidence.app_roles, terms.scopes)
    if not room.free:
        yield Item("", "capacity", _in_words(room))


def nearly_no_room(evidence: Evidence, terms: Terms) -> Iterator[Item]:
    """Find out that nine tenths of the limit are used."""
    room = capacity(evidence.app_roles, terms.scopes)
    if room.free and room.used >= NEARLY_FULL * room.limit:
        yield Item("", "capacity", _in_words(room))


def room_left(evidence: Evidence, terms: Terms) -> Iterator[Item]:
    """Show the meter, always."""
    yield Item("", "capacity", _in_words(capacity(evidence.app_roles, terms.scopes)))


def _in_words(room: Capacity) -> str:
    return f"{room.used} of {room.limit} permission definitions are used, {room.free} are free; {room.disabled} of the used are disabled."


def no_account_read(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find out that nothing of AWS was read: then no other check says anything about it."""
    if not evidence.read:
        yield Item("", "accounts", f"None of the {len(evidence.account_rows)} accounts was read: nothing is known of AWS.")


def account_closed(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find accounts that nobody can read any more."""
    for account in evidence.account_rows.values():
        if account["state"] not in OPEN:
            yield Item(account["account_id"], _account(evidence, account["account_id"]), f"It is {account['state']}, and cannot be read.")


def account_unread(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find accounts that were not read: what is in them is unknown, and stays as it is."""
    for account in evidence.account_rows.values():
        if account["problem"] and account["state"] in OPEN:
            yield Item(account["account_id"], _account(evidence, account["account_id"]), f"Not read in full: {account['problem']}")


def account_not_in_the_inventory(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find accounts that left the organisation, or were excluded: their appRoles still are handed out."""
    numbers = Counter(pair.account_id for pair in evidence.pairs.values() if pair.account_id not in evidence.account_rows)
    for account_id, number in sorted(numbers.items()):
        yield Item(account_id, account_id, f"{number} appRoles name this account, and it is not among the accounts of the inventory.")


def role_without_app_role(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find roles of AWS that nobody can be given."""
    named = {pair.value for pair in evidence.pairs.values()}
    for row in _taken(evidence):
        if row["value"] not in named:
            yield Item(row["value"], row["role_arn"], "AWS has this role, and the application has no appRole for it.")


def assigned_but_missing_in_aws(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find appRoles that people see in their list of roles, and AWS refuses."""
    for name in _in_state(evidence, "dangling"):
        if evidence.assigned.get(name) and not _respelled(evidence, name):
            yield Item(name, evidence.pairs[name].value, f"“{evidence.name(name)}” is assigned, and its role is not in AWS: sign-in fails.")


def missing_in_aws(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find appRoles that only use room."""
    for name in _in_state(evidence, "dangling"):
        if not evidence.assigned.get(name) and not _respelled(evidence, name):
            yield Item(name, evidence.pairs[name].value, f"“{evidence.name(name)}” names a role that AWS lacks; nobody is assigned.")


def spelled_otherwise_in_aws(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find values in another case: AWS compares the role names of an assertion with their case."""
    for name in _in_state(evidence, "dangling"):
        if other := _respelled(evidence, name):
            yield Item(name, evidence.pairs[name].value, f"AWS spells the role {other}: sign-in with another case fails.")


def not_trusted_by_the_role(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find roles that are there, and whose trust does not take this sign-in."""
    for name in _in_state(evidence, "untrusted"):
        pair = evidence.pairs[name]
        found = evidence.role_rows[pair.role_arn]
        reason = next((row["reason"] for row in found if row["provider_arn"] == pair.provider_arn), found[0]["reason"])
        yield Item(name, pair.value, f"The role does not trust {pair.provider_name} in a way that works: {reason or 'no SAML trust'}.")


def trust_to_look_at(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find roles that can be used, with a condition or another remark of the trust analysis."""
    for row in _taken(evidence):
        if row["reason"]:
            yield Item(row["value"], row["role_arn"], f"Its trust policy needs review: {row['reason'].removesuffix('.')}.")


def value_refused(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find values that Entra ID would not take."""
    for row in _taken(evidence):
        if why := flaw(row["value"]):
            yield Item(row["value"], row["role_arn"], f"The value of its appRole would be refused: {why}.")


def long_value(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find values that are longer than documented, and taken."""
    for name, pair in evidence.pairs.items():
        if why := caution(evidence.app_role_rows[name]["value"]):
            yield Item(name, pair.value, why)


def disabled_but_emitted(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find disabled appRoles that are assigned: disabling is no revocation (learn.microsoft.com howto-add-app-roles-in-apps)."""
    for name, row in evidence.app_role_rows.items():
        if not row["is_enabled"] and row["value"] and (number := len(evidence.assigned.get(name, []))):
            yield Item(name, row["value"], f"“{evidence.name(name)}” is disabled and still emitted for its {number} assignments.")


def value_not_of_aws(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find values that AWS cannot read."""
    for name, row in evidence.app_role_rows.items():
        if row["value"] and name not in evidence.pairs:
            yield Item(name, row["value"], f"The value of “{evidence.name(name)}” is not a role ARN and a provider ARN of one account.")


def named_for_another_account(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find names that say another account than the value: whoever picks by name picks wrong."""
    for name, pair in evidence.pairs.items():
        wrong = [number for number in re.findall(r"(?<!\d)[0-9]{12}(?!\d)", evidence.name(name)) if number != pair.account_id]
        if wrong:
            yield Item(name, pair.value, f"Its name “{evidence.name(name)}” says account {wrong[0]}, and its value {pair.account_id}.")


def same_name_twice(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find appRoles that nobody can tell apart in the portal."""
    twins: dict[str, list[str]] = defaultdict(list)
    for name in evidence.pairs:
        twins[evidence.name(name)].append(name)
    for label, names in sorted(twins.items()):
        if len(names) > 1:
            yield Item(label, label, f"{len(names)} appRoles have this display name: {', '.join(sorted(names))}.")


def named_otherwise(evidence: Evidence, terms: Terms) -> Iterator[Item]:
    """Find names that the template of the parameter file would not give."""
    for name, pair in evidence.pairs.items():
        account = evidence.account_rows.get(pair.account_id)
        if account and account["account_name"]:
            label = fill(terms.label, {**pair._asdict(), "account_name": account["account_name"]}, limit=1000)
            if not label.startswith(evidence.name(name).removesuffix("...")):
                yield Item(name, pair.value, f"It is named “{evidence.name(name)}”; by the template it would be “{label}”.")


def same_pair_twice(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find appRoles that are one to AWS."""
    twice: dict[str, list[str]] = defaultdict(list)
    for name, pair in evidence.pairs.items():
        twice[pair.value].append(name)
    for value, names in sorted(twice.items()):
        if len(names) > 1:
            yield Item(value, value, f"{len(names)} appRoles name this role and provider: {', '.join(sorted(names))}.")


def on_the_app_registration(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find AWS roles that came with the app registration; ours are only those of the enterprise application."""
    for name, pair in evidence.pairs.items():
        if evidence.app_role_rows[name]["origin"] == "Application":
            yield Item(name, pair.value, f"“{evidence.name(name)}” is declared on the app registration, so it is left alone.")


def _taken(evidence: Evidence) -> Iterator[dict[str, str]]:
    for several in evidence.role_rows.values():
        for row in several:
            if row["verdict"] in USABLE and parse(row["value"]):
                yield dict(row)


def _in_state(evidence: Evidence, state: str) -> list[str]:
    return [name for name, found in evidence.states.items() if found == state]


def _respelled(evidence: Evidence, name: str) -> str:
    return evidence.spelled.get(evidence.pairs[name].role_arn.casefold(), "")


def _account(evidence: Evidence, account_id: str) -> str:
    name = evidence.account_rows[account_id]["account_name"]
    return f"{name} ({account_id})" if name else account_id
