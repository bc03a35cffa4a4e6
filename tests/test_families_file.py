"""The file of families: what is shipped is right, and a slip in it is found before anything is read."""

from pathlib import Path

import pandas as pd
import pytest

from awsfed_lib.core.accounts import families_file as core
from awsfed_lib.core.accounts import federation
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.tables import ACCOUNTS, frame
from awsfed_lib.edges.records import families_file

SHIPPED = Path(__file__).parents[1] / "parameters/families.yml"
GOOD = {"families": [{"family": "aws-admin", "policies": ["AdministratorAccess"]}]}
GIVEN = {"provider": "WAAD", "partition": "aws-us-gov", "endpoints": ("global", "us-gov-east-1")}


def test_shipped_file_has_the_families_of_the_tutorial():
    families = core.read(families_file.load(SHIPPED), **GIVEN)
    assert [one.suffix for one in families.families] == ["aws-admin", "finance-admin", "read-only-user", "devops-user", "tpm-user"]
    assert families.role_name("sales", families.families[0]) == "sales-aws-admin"
    assert families.policy_arn("1", families.families[1].policies[0]) == "arn:aws-us-gov:iam::aws:policy/job-function/Billing"
    assert len(families.statement("x")["Condition"]["StringEquals"]["SAML:aud"]) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "families: Field required"),
        ({"families": []}, "families"),
        (GOOD | {"patern": "x"}, "patern"),
        ({"families": [{"family": "a", "policies": "AdministratorAccess"}]}, "families.0.policies"),
        ({"families": [{"family": "a", "policies": ["A"], "max_session": "3600"}]}, "families.0.max_session"),
        ({"families": [{"family": "a", "policies": ["A"], "max_session": True}]}, "families.0.max_session"),
        ({"families": [{"family": "a", "policies": []}]}, "needs 1 to 10 policies"),
        (GOOD | {"pattern": "{account}"}, "must hold {account} and {family}"),
        (GOOD | {"actions": ["sts:AssumeRole"]}, "not sts:AssumeRole"),
    ],
    ids=["empty", "none", "unknown name", "no list", "text for a number", "yes for a number", "no policy", "pattern", "action"],
)
def test_slip_is_refused_by_name(content, words):
    with pytest.raises(ParameterError) as refused:
        core.read(content, **GIVEN)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("families:\n  - family: a\n    family: b\n", "family stands twice"),
        ("tag_key: a\ntag_key: b\n", "tag_key stands twice"),
        ("- a\n", "no `name: value` lines"),
        ("", "no `name: value` lines"),
        ("a: [\n", "no YAML"),
        ("a: !!python/object:os.system x\n", "no YAML"),
        ("a: [[[[[[[[[[1]]]]]]]]]]\n", "nested too deeply"),
    ],
    ids=["twice inside", "twice", "list", "empty", "broken", "tag", "deep"],
)
def test_yaml_that_says_two_things_or_none_is_refused(tmp_path, text, words):
    """YAML readers take the last of two equal names without a word (yaml.org/spec, 3.2.1.3 asks for unique keys)."""
    path = tmp_path / "families.yml"
    path.write_text(text)
    with pytest.raises(ParameterError) as refused:
        families_file.load(path)
    assert words in str(refused.value)


def reach(*rows):
    return pd.DataFrame(rows, columns=["account_id", "reach", "problem"])


def test_where_the_writer_cannot_be_assumed_the_account_has_that_problem():
    accounts = frame(ACCOUNTS, [{"account_id": f"{number:012d}", "problem": "first" if number == 3 else ""} for number in (1, 2, 3)])
    found = reach(
        ("000000000001", "arn:aws:sts::000000000001:assumed-role/w/s", ""), ("000000000002", "", "no role"), ("000000000003", "", "x")
    )
    assert federation.writable(accounts, found)["problem"].tolist() == ["", "no role", "first"]


def test_who_may_write_nowhere_may_still_plan():
    """In the account that awsfed runs in it acts as itself, which is no writer role."""
    accounts = frame(ACCOUNTS, [{"account_id": "000000000001"}, {"account_id": "000000000002"}])
    found = reach(("000000000001", "arn:aws:iam::000000000001:user/hub", ""), ("000000000002", "", "no role"))
    assert federation.writable(accounts, found)["problem"].tolist() == ["", ""]
