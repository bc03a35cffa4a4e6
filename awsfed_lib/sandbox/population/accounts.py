"""Which accounts the organization has: ids, names as people type them, organizational units, states, and how they can be reached."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from awsfed_lib.sandbox.population import seeds

TUTORIAL_ACCOUNT = "000000012345"


@dataclass(frozen=True)
class Seat:
    """One account before it has providers and roles: the same columns as the world's account entry."""

    place: int
    id: str
    name: str
    ou: str
    state: str
    reach: str

    @property
    def slug(self) -> str:
        """The account name as the tutorial wants it in a role name: all lower case, no spaces."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40].rstrip("-")

    @property
    def ordinary(self) -> bool:
        """True for a working account: not one that stands for a state, a refusal or the tutorial."""
        return self.state == "ACTIVE" and self.reach == "ok" and self.place >= 2 and self.id != TUTORIAL_ACCOUNT


def seats(seed: int, count: int) -> list[Seat]:
    """The accounts in the order in which they joined; the first manages the organization, the second is the hub.

    Raises ValueError outside 3 to 10,000 accounts, the most an organization can have
    (docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
    """
    if not 3 <= count <= 10_000:
        raise ValueError(f"A sandbox organization has 3 to 10,000 accounts, not {count}.")
    ids = _ids(seed, count)
    return [_seat(seed, place, next(ids)) for place in range(count)]


def plain_seats(seed: int, count: int) -> list[Seat]:
    """The same ids with names that nobody typed by hand, all of them working accounts. Raises ValueError as `seats` does."""
    return [replace(seat, name=_plain_name(seat.place), ou=_plain_unit(seat), state="ACTIVE", reach="ok") for seat in seats(seed, count)]


def _plain_name(place: int) -> str:
    """Three accounts by name, then teams by stage; names and slugs are unique."""
    if place < 3:
        return _first_names()[place]
    stage, team = divmod(place - 3, len(_teams()))
    return f"{_teams()[team]} {('Prod', 'Test', 'Dev')[stage % 3]}" + (f" {stage // 3 + 1}" if stage > 2 else "")


def _plain_unit(seat: Seat) -> str:
    return "Workloads/Prod" if seat.ou == "Suspended" else seat.ou


def _ids(seed: int, count: int) -> Iterator[str]:
    taken = {TUTORIAL_ACCOUNT}
    for place in range(count):
        if place == 3:
            yield TUTORIAL_ACCOUNT
            continue
        yield _free(seeds.number(seed, "account", place) % 10 ** _digits(place), taken)


def _digits(place: int) -> int:
    # Real ids may start with zeros, which spreadsheets and YAML eat: every ninth account has such an id.
    return 10 if place % 9 == 2 else 12


def _free(wanted: int, taken: set[str]) -> str:
    while f"{wanted:012d}" in taken or wanted == 0:
        wanted = (wanted + 1) % 10**12
    taken.add(f"{wanted:012d}")
    return f"{wanted:012d}"


def _seat(seed: int, place: int, account_id: str) -> Seat:
    state, reach = _condition(place)
    ou = "Suspended" if state in ("SUSPENDED", "CLOSED") else _unit(seed, place)
    return Seat(place, account_id, _name(seed, place), ou, state, reach)


def _condition(place: int) -> tuple[str, str]:
    # The first dozen hold every kind once, so that a small world is as instructive as a large one.
    return {
        4: ("SUSPENDED", "denied"),
        5: ("PENDING_CLOSURE", "ok"),
        6: ("ACTIVE", "denied"),
        7: ("ACTIVE", "throttled"),
        8: ("CLOSED", "denied"),
        9: ("PENDING_ACTIVATION", "denied"),
    }.get(place if place < 10 else place % 150, ("ACTIVE", "ok"))


def _unit(seed: int, place: int) -> str:
    if place < 2:
        return ("", "Security")[place]
    return seeds.pick(
        ("Workloads/Prod", "Workloads/Test", "Workloads/Dev", "Sandbox", "Infrastructure", "Policy Staging"), seed, "ou", place
    )


def _name(seed: int, place: int) -> str:
    first = _first_names()
    if place < len(first):
        return first[place]
    team = seeds.pick(_teams(), seed, "team", place)
    stage = seeds.pick(("Prod", "PROD", "Test", "dev", "Staging (EU)", "sandbox", "DR"), seed, "stage", place)
    return f"{team} {stage} {place}"


def _first_names() -> tuple[str, ...]:
    """The names of the first accounts: each one breaks a careless reader, and two give the same slug."""
    return (
        "Contoso Management",
        "Identity Tooling",
        "Sales",
        "Tutorial",
        "Acquired Widgets Inc.",
        "Old  Marketing",
        "R&D Lab",
        "Payments (Prod)",
        "Archive 2019",
        "New-Hire Sandbox",
        "Data Platform",
        "data-platform",
        "HR_Buero_Muenchen",
        "Legal & Compliance, EMEA",
        "O'Reilly Partner Portal",
        "Cafe' Sao Paulo",
        "=1+1 Finance",
        "<b>Legacy</b> ERP",
        "Production Shared Services North Europe 01",
        "QA",
        "IoT/Edge",
        "ML-Research #2",
        "42",
        "Website.com",
    )


def _teams() -> tuple[str, ...]:
    return (
        "Sales Ops", "Marketing", "Finance", "Logistics", "Retail Web", "Mobile App", "Risk", "Treasury", "Claims", "Pricing", "Search",
        "Recommendations", "Fleet", "Warehouse", "Support", "Analytics", "Data Science", "Network", "Observability", "Edge", "Media",
    )  # fmt: skip


def ordinary(everyone: Iterable[Seat]) -> list[Seat]:
    """The working accounts, in order."""
    return [seat for seat in everyone if seat.ordinary]
