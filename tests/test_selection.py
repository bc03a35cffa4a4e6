import pytest

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.amazon.selection import Account, Selection, check_account_id, matches

SALES = Account("004856030703", "Sales (EU) [old]", "Workloads/Prod", "ACTIVE", ("r-dcxg", "ou-dcxg-kxe33dcz", "ou-dcxg-pxvl9f05"))
ROOT = Account("145818650813", "Contoso Management", "/", "ACTIVE", ("r-dcxg",))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("004856030703", True),
        ("0048*", True),
        ("145818650813", False),
        ("Sales (EU) [old]", True),  # a name is a name first, whatever it holds
        ("sales*", True),
        ("Sales", False),
        ("Workloads/Prod", True),
        ("workloads/*", True),
        ("Workloads/", True),  # everything below
        ("/Workloads/Prod/", True),
        ("Workloads/Pro", False),
        ("Prod/", False),
        ("*/Prod", True),
        ("ou-dcxg-pxvl9f05", True),
        ("ou-dcxg-kxe33dcz", True),  # a unit above
        ("r-dcxg", True),
        ("ou-dcxg-kxe33dcz/ou-dcxg-pxvl9f05", True),
        ("ou-dcxg-aaaaaaaa", False),
        ("/", False),
    ],
)
def test_pattern(pattern: str, found: bool) -> None:  # noqa: FBT001  the expected answer
    assert matches(pattern, SALES) is found


def test_slash_means_the_root_itself() -> None:
    assert matches("/", ROOT)


def test_exclude_wins_and_nothing_means_all() -> None:
    assert Selection().takes(SALES)
    assert not Selection(include=("Sales*",), exclude=("*EU*",)).takes(SALES)
    assert not Selection(exclude=("Workloads/",)).takes(SALES)
    assert not Selection(include=("Finance",)).takes(SALES)


def test_include_that_nothing_matches_is_named() -> None:
    assert Selection(include=("Sales*", "Finance", "ou-x-1")).unmatched([SALES, ROOT]) == ["Finance", "ou-x-1"]


def test_names_of_units_are_only_read_for_a_path() -> None:
    assert Selection(include=("Workloads/Prod",)).names_units
    assert not Selection(include=("ou-dcxg-pxvl9f05", "Sales*")).names_units
    assert Selection(include=("ou-dcxg-pxvl9f05",)).asks_units
    assert not Selection(include=("Sales*", "004856030703")).asks_units


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4856030703", "has 10 digits: a spreadsheet or YAML dropped a leading zero. Write '004856030703'"),
        ("12345678901", "has 11 digits"),
        ("4.85603E+11", "was rounded by a spreadsheet"),
        ("4,85603E+11", "was rounded by a spreadsheet"),
        ("sales", "is not 12 digits"),
        ("1234567890123", "is not 12 digits"),
        ("١٢٣٤٥٦٧٨٩٠١٢", "is not 12 digits"),
        ("", "is not 12 digits"),
    ],
)
def test_number_that_is_no_account_id_is_explained(text: str, why: str) -> None:
    with pytest.raises(ParameterError) as refused:
        check_account_id(text, "accounts.csv, line 4")
    assert why in str(refused.value)
    assert refused.value.where == "accounts.csv, line 4"


def test_number_in_a_selection_must_be_an_account_id() -> None:
    with pytest.raises(ParameterError, match="dropped a leading zero"):
        Selection(exclude=("4856030703",))
