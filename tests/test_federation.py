import json
import shlex
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from fake_service import FakeJournal, Stop
from federated_world import ORGANIZATION, OTHERS
from hypothesis import given, settings
from hypothesis import strategies as st
from saml_made import NOW, TENANT, certificate, document, made

from awsfed_lib.core import facts
from awsfed_lib.core.accounts import federation, writer_role
from awsfed_lib.core.accounts.families import Families, Family
from awsfed_lib.core.accounts.federation import Terms
from awsfed_lib.core.accounts.role_changes import facts_of
from awsfed_lib.core.accounts.slugs import read_frozen, slug, slugs
from awsfed_lib.core.accounts.trust_merge import merged
from awsfed_lib.core.apply import Patience
from awsfed_lib.core.certificate import distribution
from awsfed_lib.core.change import Guards
from awsfed_lib.core.errors import ParameterError, UnsafePlan
from awsfed_lib.core.outcome import Answer
from awsfed_lib.core.roles import trust
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.shapes import DOCUMENTS, IAM_ROLES
from awsfed_lib.core.tables import ACCOUNTS, frame

A, B, C = "000000000001", "000000000002", "000000000003"
ADMIN = Family("aws-admin", ("AdministratorAccess",), 7200)
READER = Family("read-only-user", ("ReadOnlyAccess", "job-function/ViewOnlyAccess"))
FAMILIES = Families((ADMIN, READER))
OLD = certificate()


def accounts(**names):
    """ACCOUNTS by id, read in full; a name that begins with "!" is its problem, with "~" its state."""
    made_rows = []
    for key, name in names.items():
        row = {"account_id": key.removeprefix("a"), "account_name": "x", "state": "ACTIVE"}
        made_rows.append(
            row | ({"problem": name[1:]} if name[0] == "!" else {"state": name[1:]} if name[0] == "~" else {"account_name": name})
        )
    return frame(ACCOUNTS, made_rows)


THREE = accounts(a000000000001="Sales", a000000000002="Sales EU", a000000000003="Ops")


class Accounts:
    """apply.Service over accounts in memory: what IAM does with each request, and its refusals."""

    realm, patience = ORGANIZATION.realm, Patience(1, (1.0,))

    def __init__(self, *ids):
        self.roles, self.documents, self.stacks = {}, dict.fromkeys(ids), {}
        self.fault, self.sent = {}, []

    @property
    def table(self):
        return frame(IAM_ROLES, self.roles.values())

    @property
    def holders(self):
        rows = [
            {
                "account_id": key,
                "provider_arn": FAMILIES.provider_arn(key) if text else "",
                "document": text or "",
                "stack": self.stacks.get(key, ""),
            }
            for key, text in self.documents.items()
        ]
        return distribution.read(frame(DOCUMENTS, rows))

    def live(self, table, of):
        if table == "iam_role":
            return facts_of(self.roles[of]) if of in self.roles else ()
        text = self.documents[of.split(":")[4]]
        return (facts.saml_provider(of, metadata.fingerprint_of(text)),) if text else ()

    def snapshot(self, table, of):
        return b""

    def send(self, requests: Sequence):
        return [self.one(request) for request in requests]

    def one(self, request):
        fault = self.fault.pop(len(self.sent), "")
        self.sent.append(request)
        if fault == "die before":
            raise Stop
        answer = self.carry_out(request)
        if fault == "die after":
            raise Stop
        return Answer("unknown", 0) if fault == "lost" else answer

    def carry_out(self, request):
        account_id, _, arn = request.path.partition("/")
        body, operation = request.content, request.method.removeprefix("iam:")
        if operation == "CreateSAMLProvider":
            if self.documents[account_id]:
                return Answer("refused", 409, "EntityAlreadyExists")
            self.documents[account_id] = body["SAMLMetadataDocument"]
        elif operation == "UpdateSAMLProvider":
            self.documents[account_id] = body["SAMLMetadataDocument"]
        elif operation == "CreateRole":
            if arn in self.roles or not self.documents[account_id]:
                return Answer("refused", 409, "EntityAlreadyExists or MalformedPolicyDocument: Invalid principal in policy")
            self.roles[arn] = {
                "account_id": account_id, "role_name": body["RoleName"], "role_arn": arn, "description": body["Description"],
                "max_session": body["MaxSessionDuration"], "policies": "", "inline": "", "boundary": body.get("PermissionsBoundary", ""),
                "trust": body["AssumeRolePolicyDocument"], "tags": json.dumps({tag["Key"]: tag["Value"] for tag in body["Tags"]}), "stack": "",
            }  # fmt: skip
        else:
            self.change(self.roles[arn], operation, body)
        return Answer("done", 200)

    def change(self, role, operation, body):
        policies = set(filter(None, role["policies"].split("; ")))
        if operation == "AttachRolePolicy":
            policies.add(body["PolicyArn"])
        elif operation == "DetachRolePolicy":
            policies.remove(body["PolicyArn"])
        elif operation == "UpdateRole":
            role |= {"description": body["Description"], "max_session": body["MaxSessionDuration"]}
        elif operation == "UpdateAssumeRolePolicy":
            role["trust"] = body["PolicyDocument"]
        elif operation == "TagRole":
            role["tags"] = json.dumps(json.loads(role["tags"]) | {tag["Key"]: tag["Value"] for tag in body["Tags"]})
        role["policies"] = "; ".join(sorted(policies))

    @contextmanager
    def permit(self, requests):
        yield

    def wait(self, seconds):
        pass


def wanted(families=FAMILIES, within=THREE):
    return federation.desired_roles(families, slugs(within, {}))


def planned(of, families=FAMILIES, within=THREE, **terms):
    base = terms.pop("base", made(OLD))
    known = {"signs": (OLD.thumbprint,), "tenant_id": TENANT} | terms
    full = Terms(families, base, holders=of.holders, now=NOW, **known)
    return federation.plan(ORGANIZATION, of.table, wanted(families, within), within=within, terms=full)


def carried(of, plan):
    return plan.apply(of, approved=plan.id, journal=FakeJournal())


def built(*ids):
    of = Accounts(*(ids or (A, B, C)))
    assert carried(of, planned(of, within=THREE[THREE["account_id"].isin(ids or (A, B, C))])).verdict == "applied"
    return of


def role(of, name="sales-aws-admin", account=A):
    return of.roles[f"arn:aws:iam::{account}:role/{name}"]


def operations(plan):
    return [request.method.removeprefix("iam:") for request in plan.requests]


# --- desired -------------------------------------------------------------------------------------------------------------


def test_the_roles_of_the_tutorial():
    """Name, description and tag value are one text: accountname-aws-admin, in lower case."""
    row = wanted().to_dict("records")[0]
    assert row["role_name"] == row["description"] == "sales-aws-admin"
    assert json.loads(row["tags"]) == {"Azureadtest": "sales-aws-admin"}
    assert row["policies"] == "arn:aws:iam::aws:policy/AdministratorAccess"
    assert json.loads(row["trust"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{A}:saml-provider/WAAD"},
                "Action": "sts:AssumeRoleWithSAML",
                "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
            }
        ],
    }


@pytest.mark.parametrize("endpoints", [("global",), ("global", "eu-west-1"), ("any-region",), ("us-east-1", "us-west-2")])
@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_the_desired_trust_lets_sign_in_through(partition, endpoints):
    families = Families((ADMIN,), endpoints=endpoints, partition=partition, actions=("sts:TagSession",))
    row = federation.desired_roles(families, slugs(THREE, {})).to_dict("records")[0]
    (verdict,) = trust.judge(row["trust"], account_id=A, role_arn=row["role_arn"], role_name=row["role_name"])
    assert verdict.verdict in trust.USABLE


def test_a_pattern_needs_string_like():
    assert "StringLike" in wanted(Families((ADMIN,), endpoints=("any-region",)))["trust"][0]


def test_policies_of_the_account_and_whole_arns():
    family = Family("x", ("own/path/Team", "arn:aws:iam::aws:policy/Y"), boundary="own/Edge")
    row = wanted(Families((family,))).to_dict("records")[0]
    assert row["policies"] == f"arn:aws:iam::{A}:policy/path/Team; arn:aws:iam::aws:policy/Y"
    assert row["boundary"] == f"arn:aws:iam::{A}:policy/Edge"


def test_a_role_name_of_65_characters_is_refused_with_the_account():
    with pytest.raises(ParameterError, match="65 characters") as caught:
        federation.desired_roles(FAMILIES, slugs(accounts(a000000000001="x" * 50), {}))
    assert "shorter name" in caught.value.remedy


def test_a_value_that_entra_refuses_is_refused():
    """entra saas-apps/amazon-web-service-tutorial: role ARN and provider ARN together must be less than 240 characters."""
    with pytest.raises(ParameterError, match="239"):
        wanted(Families((ADMIN,), provider="W" * 128, pattern="{account}-{family}-" + "n" * 44))


def test_a_long_value_is_a_note():
    families = Families((ADMIN,), provider="W" * 40)
    assert list(federation.findings(frame(IAM_ROLES, []), wanted(families))["check"]) == ["value-long"] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Family("a b", ("X",)), lambda: Family("", ("X",)), lambda: Family("a", ()), lambda: Family("a", ("X", "X")),
        lambda: Family("a", ("X",), 3599), lambda: Family("a", ("X",), 43_201), lambda: Family("a", ("not a policy",)),
        lambda: Family("a", tuple(f"P{n}" for n in range(11))), lambda: Family("a", ("X",), boundary="no/../x y"),
        lambda: Families(()), lambda: Families((ADMIN, replace(ADMIN, suffix="AWS-ADMIN"))), lambda: Families((ADMIN,), provider="a/b"),
        lambda: Families((ADMIN,), pattern="{account}"), lambda: Families((ADMIN,), pattern="{account}-{family}-{account}"),
        lambda: Families((ADMIN,), pattern="{account.x}-{family}"), lambda: Families((ADMIN,), pattern="{account!r}-{family}"),
        lambda: Families((ADMIN,), pattern="{account"), lambda: Families((ADMIN,), tag_key="aws:x"), lambda: Families((ADMIN,), tag_key=""),
        lambda: Families((ADMIN,), actions=("sts:AssumeRole",)), lambda: Families((ADMIN,), endpoints=()), lambda: Families((ADMIN,), partition="x"),
    ],
)  # fmt: skip
def test_wrong_families_are_refused(wrong):
    with pytest.raises(ParameterError):
        wrong()


def test_desired_providers_hold_the_certificates_of_the_application():
    table = federation.desired_providers(FAMILIES, slugs(THREE, {}), made(OLD))
    assert list(table["account_id"]) == [A, B, C]
    assert set(table["thumbprints"]) == {OLD.thumbprint}


# --- names of accounts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Sales", "sales"), ("  Sales & Marketing (EU) ", "sales-marketing-eu"), ("Zürich", "zurich"), ("a__b--c", "a-b-c"), ("日本", ""), ("ﬁnance", "finance"), ("Ops-", "ops")],
)  # fmt: skip
def test_slugs_of_names(name, expected):
    assert slug(name) == expected


def test_collisions_get_the_end_of_the_account_id():
    table = slugs(accounts(a000000000001="Sales", a000000000002="SALES!", a000000000003="sales-0001"), {})
    assert list(table["slug"]) == ["sales-000000000001", "sales-0002", "sales-0001-000000000003"]


def test_a_frozen_name_that_leaves_no_way_out_is_an_error():
    frozen = {B: "sales", C: f"sales-{A[-4:]}", "000000000004": f"sales-{A}"}
    with pytest.raises(ParameterError, match="frozen for another"):
        slugs(accounts(a000000000001="Sales"), frozen)


def test_a_name_without_letters_becomes_the_account_id():
    assert list(slugs(accounts(a000000000001="日本"), {})["slug"]) == [A]


def test_a_renamed_account_keeps_its_frozen_name():
    """A role cannot be renamed; appRoles and groups hold its name."""
    table = slugs(accounts(a000000000001="Marketing", a000000000002="Sales"), {A: "sales"})
    assert list(table["slug"]) == ["sales", "sales-0002"]
    assert list(table["how"]) == ["frozen", "new (another account has that name)"]


@settings(max_examples=40)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=8), st.randoms())
def test_slugs_are_unique_and_do_not_depend_on_the_order(names, chance):
    rows = [{"account_id": f"{number:012d}", "account_name": name} for number, name in enumerate(names)]
    first = slugs(frame(ACCOUNTS, rows), {})
    assert first["slug"].is_unique
    shuffled = rows[:]
    chance.shuffle(shuffled)
    again = slugs(frame(ACCOUNTS, shuffled), {})
    assert dict(zip(first["account_id"], first["slug"], strict=True)) == dict(zip(again["account_id"], again["slug"], strict=True))


def test_the_file_of_account_names_goes_around():
    text = federation.frozen_csv(slugs(THREE, {}))
    assert read_frozen(("\ufeff" + text).encode()) == {A: "sales", B: "sales-eu", C: "ops"}


@pytest.mark.parametrize(
    "text",
    ["id,slug\n1,a", "account_id,slug\n1,sales", f"account_id,slug\n{A},Sales", f"account_id,slug\n{A},a\n{A},b", f"account_id,slug\n{A},a\n{B},a", f"account_id,slug\n{A},", ""],
)  # fmt: skip
def test_a_wrong_file_of_account_names_is_refused(text):
    with pytest.raises(ParameterError):
        read_frozen(text.encode())


# --- plan ----------------------------------------------------------------------------------------------------------------


def test_an_empty_account_gets_provider_roles_and_policies_in_that_order():
    of = Accounts(A)
    plan = planned(of, within=THREE[:1])
    assert operations(plan) == [
        "CreateSAMLProvider",
        "CreateRole",
        "CreateRole",
        "AttachRolePolicy",
        "AttachRolePolicy",
        "AttachRolePolicy",
    ]
    assert [request.wave for request in plan.requests] == [0, 1, 1, 2, 2, 3]
    assert carried(of, plan).verdict == "applied"


def test_afterwards_nothing_is_planned():
    of = built()
    again = planned(of)
    assert not again
    assert {change.action for change in again.changes} == {"keep"}


def test_canary_accounts_go_through_all_steps_first():
    plan = planned(Accounts(A, B, C), canary=(C,), wave=1)
    order = [request.path.partition("/")[0] for request in plan.requests]
    assert order == [C] * 6 + [A] * 6 + [B] * 6
    assert [request.wave for request in plan.requests] == sorted(request.wave for request in plan.requests)


def test_an_unread_account_is_shown_and_left_alone():
    within = accounts(a000000000001="!AccessDenied", a000000000002="Sales EU", a000000000003="~SUSPENDED")
    plan = planned(Accounts(A, B, C), within=within)
    assert {request.path.partition("/")[0] for request in plan.requests} == {B}
    assert {change.key: change.why for change in plan.changes if change.kind == "account"} == {
        A: "AccessDenied",
        C: "state: the account is SUSPENDED.",
    }


def test_an_account_whose_providers_were_not_read_is_left_alone():
    plan = planned(Accounts(A))
    assert {request.path.partition("/")[0] for request in plan.requests} == {A}


def test_a_provider_is_extended_never_recreated_and_keeps_what_it_takes():
    of = built(A)
    of.documents[A] = document(OTHERS[0])
    plan = planned(of, within=THREE[:1])
    assert operations(plan) == ["UpdateSAMLProvider"]
    carried(of, plan)
    assert metadata.read(of.documents[A]).thumbprints == {OTHERS[0].thumbprint, OLD.thumbprint}


def test_a_rollover_that_is_under_way_is_not_undone():
    """Entra's metadata may list the active certificate only; an account that has the new one already keeps it."""
    new = certificate("CN=AWS 2026", NOW - timedelta(days=1), serial=77)
    of = built(A)
    of.documents[A] = document(OLD, new)
    assert not planned(of, within=THREE[:1])


def test_a_provider_of_another_tenant_is_left_alone():
    of = built(A)
    of.documents[A] = document(OLD, entity="https://sts.windows.net/99999999-2222-3333-4444-555555555555/")
    plan = planned(of, within=THREE[:1])
    assert not plan
    assert any("foreign-entity" in change.why for change in plan.changes)


def test_what_cloudformation_owns_is_kept_with_its_reason():
    of = built(A)
    of.stacks[A], of.documents[A] = "federation", document(OTHERS[0])
    role(of)["stack"], role(of)["max_session"] = "federation", 3600
    plan = planned(of, within=THREE[:1])
    assert not plan
    assert sum("owned: federation owns" in change.why for change in plan.changes) == 2


def test_tenant_wide_metadata_is_refused():
    with pytest.raises(UnsafePlan, match="not-this-application"):
        carried(Accounts(A), planned(Accounts(A), within=THREE[:1], base=made(OTHERS[0])))


def test_metadata_without_the_certificate_that_signs_is_refused():
    plan = planned(Accounts(A), within=THREE[:1], signs=(OLD.thumbprint, "F" * 40))
    assert plan.refusals[0].startswith("lacks-active")


@pytest.mark.parametrize(
    ("changed", "operation"),
    [
        ({"max_session": 3600}, "UpdateRole"),
        ({"description": "old"}, "UpdateRole"),
        ({"tags": "{}"}, "TagRole"),
        ({"tags": '{"Azureadtest": "x", "Owner": "me"}'}, "TagRole"),
        ({"policies": ""}, "AttachRolePolicy"),
        ({"trust": '{"Version": "2012-10-17", "Statement": []}'}, "UpdateAssumeRolePolicy"),
    ],
)
def test_what_differs_is_corrected_with_one_request(changed, operation):
    of = built(A)
    role(of).update(changed)
    plan = planned(of, within=THREE[:1])
    assert operations(plan) == [operation]
    assert carried(of, plan).verdict == "applied"
    assert not planned(of, within=THREE[:1])
    assert "Owner" in role(of)["tags"] or "Owner" not in changed.get("tags", "")


def test_several_differences_of_one_role_are_sent_one_after_the_other():
    """Each expects what the one before it left; a portal edit in between stops the rest."""
    of = built(A)
    role(of).update({"max_session": 3600, "tags": "{}", "policies": ""})
    plan = planned(of, within=THREE[:1])
    assert operations(plan) == ["UpdateRole", "AttachRolePolicy", "TagRole"]
    assert [request.wave for request in plan.requests] == [0, 1, 2]
    assert len({request.expects for request in plan.requests}) == 3
    assert carried(of, plan).verdict == "applied"


def test_extra_policies_stay_unless_removing_is_allowed():
    of = built(A)
    extra = "arn:aws:iam::aws:policy/IAMFullAccess"
    role(of)["policies"] += f"; {extra}"
    plan = planned(of, within=THREE[:1])
    assert not plan
    assert any(change.why.startswith("extra:") for change in plan.changes)
    allowed = planned(of, within=THREE[:1], guards=Guards(max_removed=1))
    assert operations(allowed) == ["DetachRolePolicy"]
    carried(of, allowed)
    assert extra not in role(of)["policies"]


def test_more_removals_than_allowed_are_a_refusal():
    of = built(A)
    role(of)["policies"] += "; arn:aws:iam::aws:policy/X; arn:aws:iam::aws:policy/Y"
    assert "detaches 2" in planned(of, within=THREE[:1], guards=Guards(max_removed=1)).refusals[0]


def test_protected_roles_stay():
    of = built(A)
    role(of)["max_session"] = 3600
    assert not planned(of, within=THREE[:1], guards=Guards(protected_roles=("*-aws-admin",)))


def test_a_role_that_differs_in_case_only_is_told_not_made():
    """IAM: role names are unique without case; names in a response have a case."""
    of = built(A)
    row = of.roles.pop(f"arn:aws:iam::{A}:role/sales-aws-admin")
    row |= {"role_name": "Sales-AWS-Admin", "role_arn": f"arn:aws:iam::{A}:role/Sales-AWS-Admin"}
    of.roles[row["role_arn"]] = row
    plan = planned(of, within=THREE[:1])
    assert not plan
    assert any(change.why.startswith("case:") for change in plan.changes)
    assert "family-name" in set(federation.findings(of.table, wanted())["check"])


def test_a_role_under_a_path_is_the_role_and_keeps_its_arn():
    of = built(A)
    row = of.roles.pop(f"arn:aws:iam::{A}:role/sales-aws-admin") | {
        "role_arn": f"arn:aws:iam::{A}:role/team/sales-aws-admin",
        "max_session": 3600,
    }
    of.roles[row["role_arn"]] = row
    plan = planned(of, within=THREE[:1])
    assert [request.path for request in plan.requests] == [f"{A}/{row['role_arn']}"]


def test_another_boundary_is_told_not_changed():
    of = built(A)
    role(of)["boundary"] = f"arn:aws:iam::{A}:policy/Edge"
    plan = planned(of, within=THREE[:1])
    assert not plan
    assert any("boundary" in change.why for change in plan.changes)


def test_the_same_policies_in_every_account():
    """The tutorial: its always better to keep same policies for each role across the AWS accounts."""
    of = built()
    role(of)["policies"] = "arn:aws:iam::aws:policy/PowerUserAccess"
    role(of, "ops-read-only-user", C)["policies"] = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    table = federation.findings(of.table, wanted())
    assert sorted(zip(table["check"], table["severity"], table["subject"], strict=True)) == [
        ("family-policies", "high", role(of)["role_arn"]),
        ("family-policies", "medium", role(of, "ops-read-only-user", C)["role_arn"]),
    ]


@cache
def undisturbed():
    return built()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["die before", "die after", "lost"]), st.integers(0, 17)), max_size=4))
def test_a_crash_at_any_request_is_gone_on_from(faults):
    """I15, I16: the same end as without it, and no request is carried out twice."""
    of = Accounts(A, B, C)
    for fault, at in faults:
        of.fault = {len(of.sent) + at: fault}
        plan = planned(of)
        try:
            carried(of, plan)
        except Stop:
            continue
    of.fault = {}
    plan = planned(of)
    assert carried(of, plan).verdict in ("applied", "nothing to do")
    assert of.roles == undisturbed().roles
    assert of.documents == undisturbed().documents
    assert not planned(of)


def test_two_kernels_make_one_id():
    assert planned(Accounts(A, B, C)).id == planned(Accounts(C, B, A), within=THREE[::-1].reset_index(drop=True)).id


# --- trust policies are merged -------------------------------------------------------------------------------------------

OURS = FAMILIES.statement(FAMILIES.provider_arn(A))
OIDC = {"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/x"}, "Action": "sts:AssumeRoleWithWebIdentity"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
STALE = {**OURS, "Condition": {"StringEquals": {"saml:aud": "https://old.example"}}}
TIED = {**OURS, "Condition": {"StringEquals": {"SAML:aud": "x"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
SECOND = {**OURS, "Principal": {"Federated": FAMILIES.provider_arn(A) + "2"}}


def merge(*statements):
    found = merged(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), OURS)
    return None if found is None else found["Statement"]


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        ([], [OURS]),
        ([OURS], None),
        ([OIDC, OURS, DENY], None),
        ([STALE], [OURS]),
        ([OIDC, STALE, DENY], [OIDC, DENY, OURS]),
        ([SECOND], [SECOND, OURS]),
        ([TIED], [TIED, OURS]),
        ([{**STALE, "Action": ["sts:AssumeRoleWithSAML", "sts:tagsession"]}], [OURS]),
        ([{**STALE, "Action": "sts:*"}], [{**STALE, "Action": "sts:*"}, OURS]),
        ([{**STALE, "Effect": "Deny"}], [{**STALE, "Effect": "Deny"}, OURS]),
        ([{**STALE, "Principal": {"Federated": [FAMILIES.provider_arn(A)]}}], [OURS]),
        ([{**STALE, "Principal": {"Federated": [FAMILIES.provider_arn(A), "other"]}}], [{**STALE, "Principal": {"Federated": [FAMILIES.provider_arn(A), "other"]}}, OURS]),
        ([{**STALE, "Principal": {"Federated": FAMILIES.provider_arn(A), "AWS": "1"}}], [{**STALE, "Principal": {"Federated": FAMILIES.provider_arn(A), "AWS": "1"}}, OURS]),
    ],
)  # fmt: skip
def test_what_others_need_of_a_trust_policy_stays(live, expected):
    assert merge(*live) == expected


def test_a_single_statement_that_is_no_list():
    assert merged(json.dumps({"Statement": OIDC}), OURS) == {"Statement": [OIDC, OURS]}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"Statement": 1}', '{"Statement": ["x"]}'])
def test_a_trust_policy_that_cannot_be_understood_is_left_alone(text):
    of = built(A)
    role(of)["trust"] = text
    plan = planned(of, within=THREE[:1])
    assert not plan
    assert any(change.why.startswith("trust:") for change in plan.changes)


def test_a_trust_policy_that_would_be_too_long_is_left_alone():
    """IAM quota: 2,048 characters without white space."""
    of = built(A)
    role(of)["trust"] = json.dumps({"Statement": [{**OIDC, "Sid": "x" * 2000}]})
    assert not planned(of, within=THREE[:1])


def test_a_deny_that_stays_is_told():
    of = built(A)
    role(of)["trust"] = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoleWithSAML"}]})
    plan = planned(of, within=THREE[:1])
    assert any("still be refused" in change.why for change in plan.changes)


# --- exports and the writer's policy ---------------------------------------------------------------------------------------


def test_the_script_holds_the_literal_requests():
    plan = planned(Accounts(A), within=THREE[:1])
    lines = [line for line in federation.commands(plan).splitlines() if line.startswith("aws")]
    for line, request in zip(lines, plan.requests, strict=True):
        words = shlex.split(line)
        assert words[:2] == ["aws", "iam"]
        assert words[3:5] == ["--profile", f"awsfed-{A}"]
        assert words[6] == request.body
    assert [shlex.split(line)[2] for line in lines][:2] == ["create-saml-provider", "create-role"]


def test_names_of_all_operations_on_the_command_line():
    of = built(A)
    role(of).update({"max_session": 3600, "tags": "{}", "trust": '{"Statement": []}', "policies": "arn:aws:iam::aws:policy/X"})
    text = federation.commands(planned(of, within=THREE[:1], guards=Guards(max_removed=1)))
    for name in ("update-assume-role-policy", "update-role", "attach-role-policy", "detach-role-policy", "tag-role"):
        assert f"aws iam {name} --profile" in text


def test_hostile_names_cannot_leave_the_script():
    of = built(A)
    role(of)["description"] = "'; rm -rf / #\n`id` $(id)"
    hostile = Families((replace(ADMIN, max_session=3600),), tag_key="$(id)'\n;")
    text = federation.commands(planned(of, hostile, within=THREE[:1]), profile="p'; id; '{account_id}")
    for line in filter(None, text.splitlines()):
        assert line.startswith(("aws iam ", "#", "set -eu")), line
        assert line.startswith("#") or "--cli-input-json" not in line or len(shlex.split(line)) == 7


def test_the_stackset_template():
    template = json.loads(federation.stackset(FAMILIES, made(OLD)))
    resources = template["Resources"]
    assert {resource["DeletionPolicy"] for resource in resources.values()} == {"Retain"}
    assert resources["Provider"]["Properties"]["SamlMetadataDocument"] == made(OLD).document
    roles = [resource["Properties"] for resource in resources.values() if resource["Type"] == "AWS::IAM::Role"]
    assert roles[0]["RoleName"]["Fn::Join"][1] == [
        {"Fn::If": ["Named", {"Ref": "AccountName"}, {"Ref": "AWS::AccountId"}]},
        "-",
        "aws-admin",
    ]
    assert roles[0]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Federated": {"Ref": "Provider"}}
    assert len(resources) == 3
    assert all(name.isalnum() for name in resources)


def test_own_policies_in_the_template():
    text = federation.stackset(Families((Family("x", ("own/Team",), boundary="own/Edge"),)), made(OLD))
    assert '":policy/Team"' in text
    assert "PermissionsBoundary" in text


def test_a_template_that_is_too_long_is_refused():
    """CloudFormation takes 51,200 bytes of TemplateBody."""
    many = tuple(Family(f"family-{number:03d}", ("X",)) for number in range(120))
    with pytest.raises(ParameterError, match="51200"):
        federation.stackset(Families(many), made(OLD))


def test_the_terraform_export():
    content = json.loads(federation.terraform(FAMILIES, wanted(), made(OLD)))
    assert [alias["alias"] for alias in content["provider"]["aws"]] == [f"a{key}" for key in (A, B, C)]
    assert len(content["resource"]["aws_iam_role"]) == 6
    assert len(content["resource"]["aws_iam_role_policy_attachment"]) == 9
    assert all(item["lifecycle"]["prevent_destroy"] for item in content["resource"]["aws_iam_saml_provider"].values())


def test_templates_of_terraform_are_escaped():
    """developer.hashicorp.com terraform/language/expressions/strings: "${" and "%{" are evaluated in JSON as well."""
    hostile = accounts(a000000000001="x")
    table = wanted(within=hostile)
    table["description"] = '${file("/etc/passwd")} %{ if true }'
    text = federation.terraform(FAMILIES, table, made(OLD))
    assert "$${file" in text
    assert "%%{ if" in text
    assert not [at for at in range(len(text)) if text.startswith("${", at) and text[at - 1] != "$"]


def test_the_writer_may_do_what_the_plans_send_and_nothing_else():
    policy = json.loads(writer_role.writer_policy(FAMILIES))
    allowed = {
        action
        for item in policy["Statement"]
        if item["Effect"] == "Allow"
        for action in ([item["Action"]] if isinstance(item["Action"], str) else item["Action"])
    }
    sent = {
        "CreateSAMLProvider",
        "UpdateSAMLProvider",
        "CreateRole",
        "UpdateRole",
        "UpdateAssumeRolePolicy",
        "AttachRolePolicy",
        "DetachRolePolicy",
        "TagRole",
    }
    assert {action for action in allowed if not action.startswith(("iam:Get", "iam:List"))} == {f"iam:{name}" for name in sent}
    assert not [action for action in allowed if "Delete" in action or "*" in action]


def test_the_writer_is_bound_to_names_policies_and_not_to_itself():
    statements = {item["Sid"]: item for item in json.loads(writer_role.writer_policy(FAMILIES))["Statement"]}
    assert statements["Make"]["Resource"] == ["arn:aws:iam::*:role/*-aws-admin", "arn:aws:iam::*:role/*-read-only-user"]
    assert statements["Attach"]["Condition"]["ArnLike"]["iam:PolicyARN"][0] == "arn:aws:iam::aws:policy/AdministratorAccess"
    assert "arn:aws:iam::*:role/awsfed-*" in statements["Never"]["Resource"]
    assert statements["Provider"]["Resource"] == "arn:aws:iam::*:saml-provider/WAAD"


def test_a_writer_of_bounded_families_cannot_make_unbounded_roles():
    bounded = Families((Family("x", ("X",), boundary="own/Edge"),))
    statements = {item["Sid"]: item for item in json.loads(writer_role.writer_policy(bounded))["Statement"]}
    assert statements["Make"]["Condition"] == {"ArnLike": {"iam:PermissionsBoundary": ["arn:aws:iam::*:policy/Edge"]}}


def test_the_european_partition_is_accepted_end_to_end():
    """It has endpoints with a region code only (botocore's endpoints, aws-eusc)."""
    families = Families((Family("aws-admin", ("AdministratorAccess",)),), partition="aws-eusc")
    statement, role_arn = families.statement(families.provider_arn(A)), families.role_arn(A, "x-aws-admin")
    assert statement["Condition"] == {"StringEquals": {"SAML:aud": "https://eusc-de-east-1.signin.amazonaws-eusc.eu/saml"}}
    (verdict,) = trust.judge({"Version": "2012-10-17", "Statement": [statement]}, account_id=A, role_arn=role_arn, role_name="x-aws-admin")
    assert (verdict.verdict, verdict.provider_arn) == ("taken", f"arn:aws-eusc:iam::{A}:saml-provider/WAAD")
