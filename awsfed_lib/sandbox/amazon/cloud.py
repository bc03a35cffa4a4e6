"""The state behind the AWS side: accounts of the organization, each loaded into its own moto IAM backend when it is first touched."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.iam.models import Role, SAMLProvider, iam_backends

from awsfed_lib.sandbox.amazon import managed
from awsfed_lib.sandbox.amazon.credentials import Identity, Keys
from awsfed_lib.sandbox.amazon.metadata import foreign
from awsfed_lib.sandbox.amazon.replica import Replica
from awsfed_lib.sandbox.amazon.switches import AwsSwitches, Switchboard
from awsfed_lib.sandbox.amazon.trail import Trail
from awsfed_lib.sandbox.population import policies
from awsfed_lib.sandbox.population.partitions import Partition, partition

Metadata = Callable[[str, str], str]
CREATED = datetime(2020, 4, 3, 9, 0)  # noqa: DTZ001  moto keeps naive UTC; this is the date of the tutorial


@dataclass
class Encryption:
    """How a SAML provider takes encrypted assertions: `mode` is "Required", "Allowed" or "" (none); `keys`: key id → when it was added."""

    mode: str = ""
    keys: dict[str, datetime] = field(default_factory=dict)


class Account:
    """One account: its entry in the world, its moto backend, and what moto does not keep."""

    def __init__(self, entry: Mapping[str, Any], place: Partition, document: Callable[[Mapping[str, Any]], str]) -> None:
        self.id: str = entry["id"]
        self.name: str = entry["name"]
        self.ou: str = entry["ou"]
        self.state: str = entry["state"]
        self.reach: str = entry["reach"]
        self.joined = "CREATED" if any(role["name"] == "OrganizationAccountAccessRole" for role in entry["roles"]) else "INVITED"
        self.place = place
        self.lock = threading.RLock()
        self.pages: dict[Any, Any] = {}
        self.fragments: dict[str, Any] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.encryption: dict[str, Encryption] = {}
        self.stacks: list[Mapping[str, Any]] = entry.get("stacks", [])
        self.refused = 0
        self.replica = Replica()
        self.entered: dict[str, datetime] = {}
        self._entry = entry
        self._document = document
        self._backend: Any = None

    @property
    def usable(self) -> bool:
        """True while the account works: also while its closure is pending.

        Source: docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html.
        """
        return self.state in ("ACTIVE", "PENDING_CLOSURE")

    @property
    def backend(self) -> Any:
        """The moto IAM backend, loaded from the world at the first call."""
        if self._backend is None:
            with self.lock:
                if self._backend is None:
                    self._backend = self._load()
        return self._backend

    def encryption_of(self, provider_arn: str) -> Encryption:
        """How the provider takes encrypted assertions."""
        return self.encryption.setdefault(provider_arn, Encryption())

    def _load(self) -> Any:
        iam_backends.pop(self.id, None)  # another sandbox of the same seed may have been here
        backend = iam_backends[self.id][self.place.name]
        for entry in self._entry["providers"]:
            self._add_provider(backend, entry["name"], self._document(entry))
        for entry in self._entry["roles"]:
            made = self._role(entry)
            backend.roles[made.id] = made
            made.last_used = max(filter(None, (made.last_used, self.entered.get(made.arn))), default=None)
            for arn in entry["attached"]:
                self.attachable(backend, arn)
                backend.managed_policies[arn].attach_to(made)
        return backend

    def _add_provider(self, backend: Any, name: str, document: str) -> None:
        made = SAMLProvider(self.id, self.place.region, name, document)
        made.create_date = CREATED
        backend.saml_providers[name] = made

    def _role(self, entry: Mapping[str, Any]) -> Any:
        make: Any = Role  # moto marks it as abstract for CloudFormation's sake
        made = make(
            account_id=self.id,
            partition=self.place.name,
            role_id=_role_id(self.id, entry["name"]),
            name=entry["name"],
            assume_role_policy_document=json.dumps(entry["trust"], separators=(",", ":")),
            path=entry["path"],
            permissions_boundary=entry["boundary"],
            description=entry["description"],
            tags=[{"Key": key, "Value": value} for key, value in entry["tags"].items()],
            max_session_duration=str(entry["max_session"]),
        )
        made.create_date = CREATED
        made.policies.update({name: json.dumps(document) for name, document in entry["inline"].items()})
        if entry["last_used"]:
            made.last_used, made.last_used_region = datetime.fromisoformat(entry["last_used"]).replace(tzinfo=None), self.place.region
        return made

    def attachable(self, backend: Any, arn: str) -> None:
        """Make a policy that AWS manages known to the account, if there is one of that ARN."""
        if arn not in backend.managed_policies and (found := managed.policy(arn, self.place.region)) is not None:
            backend.managed_policies[arn] = copy(found)  # it counts what it is attached to, in this account

    def touched(self) -> None:
        """Forget what was rendered: the account has changed."""
        self.pages = {}
        self.fragments = {}

    def roles(self) -> Iterable[Any]:
        """The moto roles."""
        return list(self.backend.roles.values())

    def role(self, name: str) -> Any | None:
        """The role of exactly that name."""
        return next((role for role in self.roles() if role.name == name), None)

    def role_by_arn(self, arn: str) -> Any | None:
        """The role of exactly that ARN, path and case included."""
        return next((role for role in self.roles() if role.arn == arn), None)

    def provider(self, arn: str) -> Any | None:
        """The SAML provider of that ARN."""
        return next((one for one in list(self.backend.saml_providers.values()) if one.arn == arn), None)


def _role_id(account_id: str, name: str) -> str:
    digest = hashlib.sha256(f"{account_id}/{name}".encode()).digest()
    return "AROA" + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32] for byte in digest[:17])


class Cloud:
    """The organization: its accounts, the credentials that are out, and the switches."""

    def __init__(self, entry: Mapping[str, Any], metadata: Metadata, board: Switchboard, clock: Callable[[], datetime]) -> None:
        self.entry = entry
        self.place = partition(entry["partition"])
        self.board = board
        self.clock = clock
        self.management: str = entry["management"]
        self.hub: str = entry["hub"]
        self.organization_id: str = entry["organization_id"]
        self.keys = Keys(clock)
        self._metadata = metadata
        self._rendered: dict[tuple[str | None, str], str] = {}
        self._lock = threading.Lock()
        self.trail = Trail()
        self.users = self._users()
        self.accounts = self._accounts()

    @property
    def switches(self) -> AwsSwitches:
        """The switches of now."""
        return self.board.now

    def _users(self) -> dict[str, Identity]:
        permissions = policies.hub(self.place, self.organization_id)
        stranger = next((one["id"] for one in self.entry["accounts"] if one["id"] not in (self.hub, self.management)), self.hub)
        owners = {"hub": self.hub, "management": self.management, "stranger": stranger}
        more = {"management": policies.management(self.place)}
        return {
            who: self.keys.user(account, self.place.iam(account, f"user/awsfed-{who}"), permissions, *more.get(who, ()))
            for who, account in owners.items()
        }

    def _accounts(self) -> dict[str, Account]:
        made = {entry["id"]: Account(entry, self.place, self._document) for entry in self.entry["accounts"]}
        self.born = self.clock().replace(hour=0, minute=0, second=0, microsecond=0)  # two of the same day are alike
        for one in self.entry.get("entries", ()):
            entered, arn = made[one["roleArn"].split(":")[4]].entered, one["roleArn"]
            when = self.entered_at(one).replace(tzinfo=None)
            entered[arn] = max(when, entered.get(arn, when))
        return made

    def entered_at(self, entry: Mapping[str, Any]) -> datetime:
        """When an entry of the world was, whole hours before the day on which this organization began."""
        return self.born - timedelta(hours=entry["hoursAgo"])

    def _document(self, provider: Mapping[str, Any]) -> str:
        """A provider's metadata document, rendered once for all accounts that hold the same."""
        key = (provider["app"], provider["certificate"])
        with self._lock:
            if key not in self._rendered:
                self._rendered[key] = foreign() if key[0] is None else self._metadata(key[0], key[1]).lstrip("\ufeff")
            return self._rendered[key]

    def reset(self) -> None:
        """Bring every account back to the state of the world; keys of users stay, sessions end."""
        self.keys.forget_sessions()
        self._rendered = {}
        self.accounts = self._accounts()
        self.trail = Trail()

    def account_of(self, arn: str) -> Account | None:
        """The account that an ARN names; None outside the organization."""
        parts = arn.split(":", 5)
        return self.accounts.get(parts[4]) if len(parts) == 6 else None

    def expiry(self, seconds: int) -> datetime:
        """The moment that is so many seconds from now."""
        return self.clock() + timedelta(seconds=seconds)
