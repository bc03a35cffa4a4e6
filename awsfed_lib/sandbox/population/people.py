"""The users of the tenant: the tutorial's Britta Simon, colleagues, and those whose names AWS does not take."""

from typing import Any

from awsfed_lib.sandbox.population import seeds

DOMAIN = "contoso.example"
BRITTA = f"britta.simon@{DOMAIN}"

User = dict[str, Any]


def users(seed: int, accounts: int) -> list[User]:
    """Britta Simon first, then the difficult ones, then ordinary people: more of them in a larger organization."""
    return [_britta(seed), *_difficult(seed), *_ordinary(seed, 30 + min(accounts, 970))]


def user(seed: int, shown: str, principal_name: str, **more: Any) -> User:
    """One user as Microsoft Graph sends it."""
    plain: User = {
        "id": seeds.guid(seed, "user", principal_name),
        "displayName": shown,
        "userPrincipalName": principal_name,
        "userType": "Member",
        "accountEnabled": True,
    }
    return plain | more


def _britta(seed: int) -> User:
    return user(seed, "Britta Simon", BRITTA)


def _difficult(seed: int) -> list[User]:
    """RoleSessionName takes 2 to 64 of `[a-zA-Z_0-9+=,.@-]` (IAM User Guide, troubleshoot SAML): not a guest's `#`, not a long name."""
    return [
        user(seed, "Maria Guest", f"maria_fabrikam.example#EXT#@{DOMAIN}", userType="Guest"),
        user(seed, "Alexandra Long", f"alexandra.constantinopoulou-von-hohenzollern-sigmaringen-external@{DOMAIN}"),
        user(seed, "Dieter Disabled", f"dieter.disabled@{DOMAIN}", accountEnabled=False),
        user(seed, "Sean O'Neill", f"sean.o'neill@{DOMAIN}"),
        user(seed, "Nadia Nested", f"nadia.nested@{DOMAIN}"),
        user(seed, "Dora Direct", f"dora.direct@{DOMAIN}"),
        user(seed, "Lee Left", f"left.company@{DOMAIN}"),
    ]


def _ordinary(seed: int, count: int) -> list[User]:
    first = (
        "Aiko",
        "Ben",
        "Chiara",
        "Daniel",
        "Elif",
        "Femi",
        "Grace",
        "Hugo",
        "Ines",
        "Jonas",
        "Kira",
        "Liam",
        "Mina",
        "Noah",
        "Olga",
        "Priya",
    )
    last = (
        "Adeyemi",
        "Berg",
        "Costa",
        "Duarte",
        "Eriksen",
        "Fischer",
        "Garcia",
        "Haddad",
        "Ito",
        "Jansen",
        "Kowalski",
        "Lopez",
        "Meyer",
        "Novak",
    )
    people = []
    for place in range(count):
        one, two = first[place % len(first)], last[place // len(first) % len(last)]
        again = place // (len(first) * len(last))
        people.append(user(seed, f"{one} {two}", f"{one}.{two}{again or ''}@{DOMAIN}".lower()))
    return people
