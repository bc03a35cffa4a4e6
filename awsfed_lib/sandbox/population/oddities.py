"""One role for each way in which a trust policy, a path, a name or an owner surprises a reader of IAM."""

from collections.abc import Callable
from typing import Any

from awsfed_lib.sandbox.population import trusts
from awsfed_lib.sandbox.population.accounts import Seat
from awsfed_lib.sandbox.population.partitions import Partition
from awsfed_lib.sandbox.population.roles import Role, Setting, role

Builder = Callable[[Setting, Seat, Seat], Role]


def oddities() -> tuple[Builder, ...]:
    """The builders; each takes the setting, the account that gets the role, and another account."""
    return (*_of_the_condition(), *_of_the_principal(), *_of_the_statement(), *_of_the_role())


def _trusting(name: str, trust: Callable[[Partition, str], trusts.Trust], **more: Any) -> Builder:
    def build(setting: Setting, seat: Seat, other: Seat) -> Role:
        del other
        return role(name, trust(setting.place, setting.provider(seat)), **more)

    return build


def _of_the_condition() -> tuple[Builder, ...]:
    return (
        _trusting("audience-missing", _unconditional),
        _trusting("audience-wrong", lambda place, arn: trusts.document(trusts.saml(arn, place.audience))),
        _trusting("audience-trailing-slash", lambda place, arn: trusts.document(trusts.saml(arn, place.recipient + "/"))),
        _trusting("audience-regional", trusts.regional),
        _trusting(
            "audience-list",
            lambda place, arn: trusts.document(trusts.saml(arn, [place.recipient, place.regional.replace("*", "eu-west-1")])),
        ),
        _trusting("audience-lowercase-key", _lowercase),
    )


def _unconditional(place: Partition, arn: str) -> trusts.Trust:
    del place
    return trusts.document(trusts.saml(arn, None))


def _lowercase(place: Partition, arn: str) -> trusts.Trust:
    return trusts.document(trusts.saml(arn, None) | {"Condition": {"StringEquals": {"saml:aud": place.recipient}}})


def _of_the_principal() -> tuple[Builder, ...]:
    return (
        _trusting("principal-in-a-list", lambda place, arn: trusts.document(trusts.saml([arn], place.recipient))),
        _two_providers,
        _provider_missing,
        _provider_elsewhere,
        _github,
        _trusting("principal-with-service", _with_service),
    )


def _two_providers(setting: Setting, seat: Seat, other: Seat) -> Role:
    del other
    both = [setting.provider(seat), setting.provider(seat, "Okta")]
    return role("two-providers", trusts.document(trusts.saml(both, setting.place.recipient)))


def _provider_missing(setting: Setting, seat: Seat, other: Seat) -> Role:
    del other
    return role(
        "provider-missing", trusts.canonical(setting.place, setting.provider(seat, "ADFS-2016")), last_used="2019-04-02T08:00:00+00:00"
    )


def _provider_elsewhere(setting: Setting, seat: Seat, other: Seat) -> Role:
    del seat
    return role("provider-of-another-account", trusts.canonical(setting.place, setting.provider(other)))


def _github(setting: Setting, seat: Seat, other: Seat) -> Role:
    del other
    return role("github-deploy", trusts.github(setting.place, seat.id), attached=[setting.place.managed("PowerUserAccess")])


def _with_service(place: Partition, arn: str) -> trusts.Trust:
    del place
    principal = {"Federated": arn, "Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}
    return trusts.document(
        {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:AssumeRoleWithSAML"]},
    )


def _of_the_statement() -> tuple[Builder, ...]:
    return (
        _trusting("several-statements", _several),
        _trusting("single-statement-object", lambda place, arn: {"Version": "2012-10-17", "Statement": trusts.saml(arn, place.recipient)}),
        _trusting(
            "tag-session",
            lambda place, arn: trusts.document(trusts.saml(arn, place.recipient, action=["sts:AssumeRoleWithSAML", "sts:TagSession"])),
        ),
        _trusting("wildcard-action", lambda place, arn: trusts.document(trusts.saml(arn, place.recipient, action="sts:*"))),
        _trusting("denied-for-all", _denied),
        _trusting("denied-for-one-subject", _denied_subject),
    )


def _several(place: Partition, arn: str) -> trusts.Trust:
    ec2 = trusts.service("ec2.amazonaws.com")["Statement"][0]
    return trusts.document(ec2, trusts.saml(arn, place.recipient), trusts.saml(arn, None, action="sts:TagSession"))


def _denied(place: Partition, arn: str) -> trusts.Trust:
    return trusts.document(trusts.saml(arn, place.recipient), trusts.saml(arn, None, effect="Deny") | {"Sid": "Offboarded"})


def _denied_subject(place: Partition, arn: str) -> trusts.Trust:
    leaver = {"Condition": {"StringEquals": {"SAML:sub": "left.company@contoso.example"}}}
    return trusts.document(trusts.saml(arn, place.recipient), trusts.saml(arn, None, effect="Deny") | leaver)


def _of_the_role() -> tuple[Builder, ...]:
    return (
        _trusting("Payments-Operators", trusts.canonical, path="/teams/payments/"),
        _trusting("pair-longer-than-120", trusts.canonical, path="/federated/contoso-holding/"),
        _trusting("pair-longer-than-239-" + "x" * 40, trusts.canonical, path="/" + "very-long-department-name/" * 5),
        _bounded,
        _trusting("Admin", trusts.canonical, description="The same name as in the tutorial's account"),
        _trusting("no-policies-at-all", trusts.canonical, description=""),
        _stack_owned,
        _instances,
    )


def _bounded(setting: Setting, seat: Seat, other: Seat) -> Role:
    del other
    trust = trusts.canonical(setting.place, setting.provider(seat))
    return role("with-a-boundary", trust, boundary=setting.place.managed("PowerUserAccess"))


def _instances(setting: Setting, seat: Seat, other: Seat) -> Role:
    del setting, seat, other
    return role("ec2-instances", trusts.service("ec2.amazonaws.com"))


def _stack_owned(setting: Setting, seat: Seat, other: Seat) -> Role:
    del other
    trust = trusts.canonical(setting.place, setting.provider(seat))
    return role(
        "stack-owned",
        trust,
        attached=[setting.place.managed("ReadOnlyAccess")],
    )
