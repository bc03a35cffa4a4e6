from pathlib import Path

import pytest

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.amazon.accounts_file import read_accounts
from awsfed_lib.edges.amazon.selection import Account


@pytest.fixture
def parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("notebooks", "parameters"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("AWSFED_ROOT", str(tmp_path))
    return tmp_path / "parameters"


def test_reads_text_whatever_it_looks_like(parameters: Path) -> None:
    (parameters / "accounts.csv").write_text(
        '\ufeffaccount_id, account_name,owner\n000000012345,"Sales, EU",me\n111122223333,42,\n', encoding="utf-8"
    )
    assert read_accounts("accounts.csv") == [Account("000000012345", "Sales, EU"), Account("111122223333", "42")]


def test_absolute_path_and_units(tmp_path: Path) -> None:
    file = tmp_path / "any.csv"
    file.write_text("account_id,account_name,ou_path\n000000012345,NA,Workloads/Prod\n")
    assert read_accounts(str(file)) == [Account("000000012345", "NA", "Workloads/Prod")]  # "NA" is a name, not a missing value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("account_id\n000000012345\n\n12345\n", r"'12345' has 5 digits.*\n.*any.csv, line 4"),
        ("account_id\n000000012345\n0000-0001-2345\n", "names account 000000012345 twice"),
        ("account_id\n1.23457E+11\n", "was rounded by a spreadsheet"),
        ("Account,Name\n000000012345,x\n", "no column account_id; its first row is Account, Name"),
        ("account_id,Id\n000000012345,000000012345\n", "the column account_id 2 times"),
        ("", "no column account_id"),
        ("account_id,account_name\n000000012346,a\n000000012345,Acme, Inc\n", r"3 cells.*any.csv, row 3"),
    ],
)
def test_wrong_file_is_explained_before_any_account_is_read(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "any.csv"
    file.write_text(content)
    with pytest.raises(ParameterError, match=f"(?s){why}"):
        read_accounts(str(file))


def test_missing_file(tmp_path: Path, parameters: Path) -> None:
    for file in (str(tmp_path / "none.csv"), "none.csv"):
        with pytest.raises(ParameterError, match=r"none\.csv"):
            read_accounts(file)


def test_file_is_below_parameters(parameters: Path) -> None:
    with pytest.raises(ParameterError, match=r"not a file below parameters/"):
        read_accounts("../secrets.csv")
