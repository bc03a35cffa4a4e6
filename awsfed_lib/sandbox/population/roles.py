"""The roles that every account has: the tutorial's families, awsfed's own two, and what AWS itself leaves there."""

from typing import Any

from awsfed_lib.sandbox.population import policies, seeds, trusts
from awsfed_lib.sandbox.population.accounts import TUTORIAL_ACCOUNT, Seat
from awsfed_lib.sandbox.population.partitions import Partition

Role = dict[str, Any]


class Setting:
    """What every builder of roles needs: the seed, the partition, and who manages the organization."""

    def __init__(self, seed: int, place: Partition, management: str, hub: str) -> None:
        self.seed = seed
        self.place = place
        self.management = management
        self.hub = hub
        self.external_id = "awsfed-sandbox"

    def provider(self, seat: Seat, name: str | None = None) -> str:
        """The ARN of a SAML provider of that account, by default the one for Entra ID."""
        return self.place.iam(seat.id, f"saml-provider/{name or self.provider_name(seat)}")

    def provider_name(self, seat: Seat) -> str:
        """How the account's owners called their provider for Entra ID: `WAAD` as in the tutorial, or not."""
        return "AzureAD" if seat.place == 14 or seat.place % 150 == 114 else "WAAD"

    def unprepared(self, seat: Seat) -> bool:
        """True for an account that nobody has connected to Entra ID yet."""
        return seat.place == 19 or seat.place % 150 == 119


def role(name: str, trust: trusts.Trust, **more: Any) -> Role:
    """One role entry of the world; what is not given is what IAM sets by itself."""
    plain: Role = {
        "name": name,
        "path": "/",
        "trust": trust,
        "description": name,
        "max_session": 3600,
        "tags": {},
        "attached": [],
        "inline": {},
        "boundary": None,
        "last_used": None,
    }
    return plain | more


def family_prefix(seat: Seat) -> str:
    """The tutorial's `accountname`; every eighth ordinary account was made from one template and says `platform` instead."""
    return "platform" if seat.place % 8 == 4 and seat.place > 10 else seat.slug


def families(setting: Setting, seat: Seat) -> list[Role]:
    """The roles of the tutorial: `accountname-aws-admin` and its sisters, with the same policies in every account."""
    prefix = family_prefix(seat)
    return [_family(setting, seat, f"{prefix}-{kind}", kind) for kind in policies.FAMILIES if _has(setting, seat, kind)]


def _has(setting: Setting, seat: Seat, kind: str) -> bool:
    # The first accounts are complete; later ones lack a family now and then, as people forget.
    return seat.place < 12 or kind == "aws-admin" or not seeds.chance(12, setting.seed, "lacks", seat.place, kind)


def _family(setting: Setting, seat: Seat, name: str, kind: str) -> Role:
    return role(
        name,
        trusts.canonical(setting.place, setting.provider(seat)),
        max_session=seeds.pick((3600, 3600, 14400, 43200), setting.seed, "session", seat.place, kind),
        tags={"Azureadtest": name},
        attached=[setting.place.managed(policies.managed(kind))],
        last_used=_last_used(setting.seed, seat.place, kind),
    )


def _last_used(seed: int, *labels: object) -> str | None:
    if seeds.chance(30, seed, "never used", *labels):
        return None
    value = seeds.number(seed, "last used", *labels)
    return f"2026-{1 + value % 10:02d}-{1 + value // 10 % 28:02d}T{value // 300 % 24:02d}:{value // 7200 % 60:02d}:00+00:00"


def tutorial(setting: Setting) -> list[Role]:
    """The two roles of the tutorial's JSON, in the tutorial's account."""
    trust = trusts.canonical(setting.place, setting.place.iam(TUTORIAL_ACCOUNT, "saml-provider/WAAD"))
    return [
        role("Admin", trust, attached=[setting.place.managed("AdministratorAccess")], tags={"Azureadtest": "Admin"}),
        role("Auditors", trust, attached=[setting.place.managed("SecurityAudit")], tags={"Azureadtest": "Auditors"}),
    ]


def own(setting: Setting, seat: Seat) -> list[Role]:
    """The roles of awsfed: audit, writer and remover, absent where the account's owners never deployed them."""
    if seat.reach == "denied":
        return []
    trust = trusts.account(setting.place, setting.hub, external_id=setting.external_id)
    return [
        role(
            "awsfed-audit",
            trust,
            description="Read-only inventory by awsfed",
            inline={"audit": policies.audit(setting.place)},
        ),
        role(
            "awsfed-writer",
            trust,
            description="Changes by awsfed",
            inline={"writer": policies.writer(setting.place)},
        ),
        role(
            "awsfed-remover",
            trust,
            description="Takes federation out by awsfed",
            inline={"remover": policies.remover(setting.place)},
        ),
    ]


def stacks(setting: Setting, seat: Seat, roles: list[Role]) -> list[dict[str, Any]]:
    """The CloudFormation stacks of the account and the IAM objects in them; CloudFormation puts no tag of its own on those.

    Source: aws-cloudformation/cloudformation-coverage-roadmap#277 (roles), #2550 (SAML providers).
    """
    owned = {"StackSet-awsfed": ("awsfed-audit", "awsfed-writer", "awsfed-remover"), "landing-zone-federation": ("stack-owned",)}
    names = {role["name"] for role in roles}
    inside = {stack: [name for name in members if name in names] for stack, members in owned.items()}
    return [_stack(setting, seat, stack, members) for stack, members in inside.items() if members]


def _stack(setting: Setting, seat: Seat, name: str, members: list[str]) -> dict[str, Any]:
    place, guid = setting.place, seeds.guid(setting.seed, "stack of", seat.id, name)
    arn = f"arn:{place.name}:cloudformation:{place.region}:{seat.id}:stack/{name}/{guid}"
    return {"name": name, "id": arn, "resources": [{"type": "AWS::IAM::Role", "id": member} for member in members]}


def left_by_aws(setting: Setting, seat: Seat) -> list[Role]:
    """What is in an account before anybody did anything: Organizations, Identity Center, a function's role."""
    found = [_organizations(setting), _identity_center(setting, seat), _function(setting)]
    if seat.place > 0 and seat.place % 12 != 10:  # not in the management account, and not in accounts that were invited
        trust = trusts.account(setting.place, setting.management)
        attached = [setting.place.managed("AdministratorAccess")]
        found.append(role("OrganizationAccountAccessRole", trust, description="", attached=attached))
    return found


def _organizations(setting: Setting) -> Role:
    return role(
        "AWSServiceRoleForOrganizations",
        trusts.service("organizations.amazonaws.com"),
        path="/aws-service-role/organizations.amazonaws.com/",
        description="Service-linked role used by AWS Organizations",
        attached=[setting.place.managed("aws-service-role/AWSOrganizationsServiceTrustPolicy")],
    )


def _function(setting: Setting) -> Role:
    attached = [setting.place.managed("service-role/AWSLambdaBasicExecutionRole")]
    return role("hello-world-lambda", trusts.service("lambda.amazonaws.com"), path="/service-role/", attached=attached)


def identity_center_provider(setting: Setting, seat: Seat) -> str:
    """The name of the SAML provider that IAM Identity Center keeps in the account."""
    return f"AWSSSO_{seeds.token(16, setting.seed, 'sso provider', seat.id)}_DO_NOT_DELETE"


def _identity_center(setting: Setting, seat: Seat) -> Role:
    # AssumeRoleWithSAML refuses these roles by name (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html).
    suffix = f"{seeds.number(setting.seed, 'sso', seat.id) % 16**16:016x}"
    provider = setting.provider(seat, identity_center_provider(setting, seat))
    return role(
        f"AWSReservedSSO_AdministratorAccess_{suffix}",
        trusts.document(trusts.saml(provider, setting.place.recipient, action=["sts:AssumeRoleWithSAML", "sts:TagSession"])),
        path=f"/aws-reserved/sso.amazonaws.com/{setting.place.region}/",
        description="",
        max_session=43200,
        attached=[setting.place.managed("AdministratorAccess")],
    )


def padding(setting: Setting, seat: Seat, wanted: int, have: int) -> list[Role]:
    """More service roles, until the account has `wanted` of them: real accounts are mostly made of these."""
    services = ("ec2", "lambda", "ecs-tasks", "states", "glue", "codebuild", "events", "sagemaker")
    chosen = [seeds.pick(services, setting.seed, "padding", seat.place, nth) for nth in range(have, wanted)]
    return [
        role(
            f"{kind}-worker-{nth:04d}",
            trusts.service(f"{kind}.amazonaws.com"),
            path="/service-role/",
            attached=[setting.place.managed("ReadOnlyAccess")],
        )
        for nth, kind in enumerate(chosen, start=have)
    ]
