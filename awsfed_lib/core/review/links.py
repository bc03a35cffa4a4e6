"""The links of a sign-in, from the person to the session: which of them do not hold, and what is not known of them.

A link that holds is not mentioned. The states and their order stand here, once: every table of paths and every count uses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.roles.pair import Pair
from awsfed_lib.core.roles.trust import OTHER_PROVIDER
from awsfed_lib.core.saml.sent_claims import REMEDY as CLAIMS_REMEDY
from awsfed_lib.core.saml.sent_claims import SentClaims
from awsfed_lib.core.tables import ACCOUNTS, PROVIDERS, check, read_in_full, rows

Row = Mapping[str, Any]
WORKS, CONSOLE, CONDITIONAL, UNKNOWN, BROKEN = STATES = ("works", "console only", "conditional", "unknown", "broken")
"""States of a path, best first. Of several links the worst state counts: one broken link is enough, whatever else is not known."""
OPEN = (WORKS, CONSOLE, CONDITIONAL, UNKNOWN)
"""States in which somebody may get in: only `broken` says that nobody does."""
ADMIT = "sts:AssumeRoleWithSAML"
_COLUMN_OF = {"sts:TagSession": "tag_session", "sts:SetSourceIdentity": "source_identity"}  # columns of ROLES


class Link(NamedTuple):
    """A link that does not hold, or of which that is not known: its name, a state, why, and what to do."""

    name: str
    state: str
    cause: str
    remedy: str


HOLDS = Link("", WORKS, "", "")


def worst(links: Iterable[Link]) -> Link:
    """Return the first link of the worst state; HOLDS when there is none."""
    return max(links, key=lambda link: STATES.index(link.state), default=HOLDS)


@dataclass(frozen=True, eq=False)
class Keys:
    """What the accounts accept, what Entra ID signs with, and what it sends.

    `accounts` and `providers`: ACCOUNTS and PROVIDERS of one reading; `signs`: thumbprints of what may sign now
    (certificates.signing); `entity_id`: of the application's metadata; `claims`: CLAIMS in effect; `everybody`: links of the
    application and its claims that do not hold, whoever signs in; `assignment_required`: only who is assigned gets a response.
    """

    accounts: pd.DataFrame
    providers: pd.DataFrame
    signs: tuple[str, ...]
    entity_id: str
    claims: pd.DataFrame
    everybody: tuple[Link, ...] = ()
    assignment_required: bool = True

    @cached_property
    def read(self) -> frozenset[str]:
        """Accounts whose providers were read in full."""
        return read_in_full(check(ACCOUNTS, self.accounts))

    @cached_property
    def provider_rows(self) -> dict[str, Row]:
        """Rows of PROVIDERS by ARN."""
        return {row["provider_arn"]: row for row in rows(check(PROVIDERS, self.providers))}

    @cached_property
    def sent(self) -> SentClaims:
        """The claims, asked person by person."""
        return SentClaims(self.claims)


class Terms(NamedTuple):
    """What checks need besides the evidence: its access paths, the number of scopes, the template of the names, and the Keys."""

    paths: list[dict[str, Any]]
    scopes: int
    label: str
    keys: Keys


def of_everybody(keys: Keys) -> list[Link]:
    """Give what stops everybody, or is not known of everybody: the application and its claims."""
    sent = keys.sent.everybody
    stated = ((sent.problem, BROKEN), (sent.unknown, UNKNOWN))
    return [*keys.everybody, *(Link("claims", state, words, CLAIMS_REMEDY) for words, state in stated if words)]


def of_person(keys: Keys, person: Row) -> list[Link]:
    """Give what stops this person, or is not known of them: a row of MEMBERS."""
    found = []
    if person["enabled"] is None:
        found.append(
            Link("members", UNKNOWN, "Whether the user is enabled is not known.", "Grant this sign-in User.Read.All: 00-preflight.")
        )
    elif not person["enabled"]:
        found.append(Link("members", BROKEN, "The user is disabled.", "Add somebody who can sign in: 05-groups."))
    sent = keys.sent.of(person)
    stated = ((sent.problem, BROKEN), (sent.unknown, UNKNOWN))
    return [*found, *(Link("claims", state, words, CLAIMS_REMEDY) for words, state in stated if words)]


def of_role(evidence: Evidence, keys: Keys, app_role_id: str, needs: frozenset[str] = frozenset()) -> list[Link]:
    """Give what stops the role of an appRole in AWS, or is not known of it.

    `needs`: actions that the trust policy must allow beside sts:AssumeRoleWithSAML, for what the claims send.
    """
    if app_role_id not in evidence.app_role_rows:
        return [Link("appRole", BROKEN, "The appRole of the assignment is gone.", "Delete the assignment: 06-assignments.")]
    pair = evidence.pairs.get(app_role_id)
    if pair is None:
        words = "The value of the appRole is no role ARN and provider ARN of one account."
        return [Link("value", BROKEN, words, "Make one with the right value: 04-approles.")]
    unread = _account(evidence, keys, pair)
    if unread:
        return [unread]
    found = evidence.role_rows.get(pair.role_arn)
    if not found:
        return [_missing(evidence, pair)]
    return [*_provider(keys, pair), *_trust(found, pair, needs), *_duration(keys, found[0])]


def _account(evidence: Evidence, keys: Keys, pair: Pair) -> Link | None:
    row = evidence.account_rows.get(pair.account_id)
    if row is None:
        words = "The account is none of those that were read."
        return Link("account", UNKNOWN, words, "Include it, or remove its appRoles: 04-approles.")
    if pair.account_id in evidence.read and pair.account_id in keys.read:
        return None
    words = row["problem"] or "Its SAML providers were not read."
    return Link("account", UNKNOWN, words, "Give the audit role access to the account: 02-accounts.")


def _missing(evidence: Evidence, pair: Pair) -> Link:
    other = evidence.spelled.get(pair.role_arn.casefold())
    words = f"The account has no such role, but {other}: names in a response have a case." if other else "The account has no such role."
    return Link("role", BROKEN, words, "Create the role again (02-accounts), or remove the appRole (04-approles).")


def _provider(keys: Keys, pair: Pair) -> Iterator[Link]:
    row = keys.provider_rows.get(pair.provider_arn)
    if row is None:
        words = "The account has no such SAML provider: “Specified provider doesn't exist”."
        yield Link("provider", BROKEN, words, "Make it: 02-accounts.")
        return
    if row.get("encryption") == "Required":
        words = "The SAML provider takes encrypted assertions only (AssertionEncryptionMode is Required)."
        remedy = "Give Entra ID the public key of every provider, or set the mode to Allowed in AWS."
        yield Link("encryption", BROKEN, words, remedy)
    if not keys.signs:
        yield Link("certificate", BROKEN, "The application has no signing certificate.", "Make one: 08-certificates.")
    elif not row["entity_id"]:
        yield Link("certificate", UNKNOWN, row.get("problem") or "Its metadata could not be read.", "Look at it with 02-accounts.")
    elif row["entity_id"] != keys.entity_id:
        words = f"The provider is for {row['entity_id']}: “Issuer not present in specified provider”."
        yield Link("certificate", BROKEN, words, "Update its metadata: 02-accounts.")
    elif missing := sorted(set(keys.signs) - set(row["thumbprints"].split("; "))):
        words = f"The provider lacks {', '.join(f'{one[:8]}…' for one in missing)}, which signs now: “Response signature invalid”."
        yield Link("certificate", BROKEN, words, "Distribute it: 08-certificates.")


def _trust(found: list[Row], pair: Pair, needs: frozenset[str]) -> Iterator[Link]:
    row = next((row for row in found if row["provider_arn"] == pair.provider_arn), None)
    remedy = "Correct the trust policy: 02-accounts."
    if row and row["reason"].startswith(OTHER_PROVIDER):
        yield Link("trust", UNKNOWN, f"Not judged. {row['reason']}", 'Run it with provider: "" to judge every provider.')
    elif row is None or row["verdict"] == "skipped":
        words = row["reason"] if row else "The trust policy does not name this provider."
        yield Link("trust", BROKEN, f"“Not authorized to perform {ADMIT}”: {words}", remedy)
    elif row["verdict"] == "conditional":
        yield Link("trust", CONDITIONAL, row["reason"], remedy)
    for action in sorted(needs):
        allowed = (row or {}).get(_COLUMN_OF[action]) or "unknown"
        if allowed != "allowed":
            words = f"The claims send what needs {action}, and the trust policy has it {allowed}: AWS refuses the whole sign-in without it."
            yield Link("trust", {"refused": BROKEN, "conditional": CONDITIONAL}.get(allowed, UNKNOWN), words, remedy)


def _duration(keys: Keys, role: Row) -> Iterator[Link]:
    """Compare durations: the console takes one that the role does not allow, AssumeRoleWithSAML with it is refused."""
    asked, longest = keys.sent.session_duration, role["max_session"]
    if asked is not None and longest is not None and longest < asked:
        words = f"The claims ask for {asked} seconds, the role allows {longest}; tools that pass it on are refused."
        yield Link("duration", CONSOLE, words, "Raise max_session (02-accounts), or lower session_duration (01-application).")
