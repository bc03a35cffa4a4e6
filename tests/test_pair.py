import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import arn, provider, value

from awsfed_lib.core.roles.pair import parse

ACCOUNT = "000000012345"
NAMES = st.text("ABCxyz019_+=,.@-", min_size=1, max_size=64)


def test_reads_the_value_of_the_tutorial():
    """The tutorial writes "role ARN,provider ARN" without a space; its account id of 5 digits stands for one of 12."""
    pair = parse(f"arn:aws:iam::{ACCOUNT}:role/Admin,arn:aws:iam::{ACCOUNT}:saml-provider/WAAD")
    assert pair == (ACCOUNT, "aws", arn(ACCOUNT, "Admin"), provider(ACCOUNT), "Admin", "WAAD")
    assert pair.value == value(ACCOUNT, "Admin")


def test_either_order_and_spaces_are_one_value():
    """AWS documents both orders of the Role attribute (docs.aws.amazon.com IAM, id_roles_providers_create_saml_assertions)."""
    written = f"  {provider(ACCOUNT)} , {arn(ACCOUNT, 'Admin')} "
    assert parse(written).value == value(ACCOUNT, "Admin")


@given(NAMES, st.sampled_from(["aws", "aws-us-gov", "aws-cn"]), st.sampled_from(["", "team/", "a/b,c/"]))
def test_every_role_name_of_iam_goes_there_and_back(name, partition, path):
    role_arn = f"arn:{partition}:iam::{ACCOUNT}:role/{path}{name}"
    pair = parse(f"{role_arn},arn:{partition}:iam::{ACCOUNT}:saml-provider/X.y-z_1")
    assert (pair.role_arn, pair.role_name, pair.partition) == (role_arn, name, partition)
    assert parse(pair.value) == pair


@pytest.mark.parametrize(
    "text",
    [
        "",
        "msiam_access",
        arn(ACCOUNT, "Admin"),
        f"{arn(ACCOUNT, 'Admin')},{provider('999999999999')}",
        f"{arn(ACCOUNT, 'Admin')},{provider(ACCOUNT).replace(':aws:', ':aws-cn:')}",
        f"{arn('12345', 'Admin')},{provider('12345')}",
        f"{arn('１２３４５６７８９０１２', 'Admin')},{provider('１２３４５６７８９０１２')}",
        f"{arn(ACCOUNT, 'Admin')},{provider(ACCOUNT)},{provider(ACCOUNT)}",
        f"{arn(ACCOUNT, 'Admin')};{provider(ACCOUNT)}",
        f"{arn(ACCOUNT, 'A' * 65)},{provider(ACCOUNT)}",
        f"{arn(ACCOUNT, 'Ädmin')},{provider(ACCOUNT)}",
        f"{arn(ACCOUNT, 'Admin')},{provider(ACCOUNT)}\narn",
    ],
)
def test_anything_else_is_no_pair(text):
    assert parse(text) is None
