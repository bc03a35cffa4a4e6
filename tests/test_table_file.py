"""CSV files as people send them, through the readers of every file below parameters/."""

from __future__ import annotations

import codecs
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review import accepted
from awsfed_lib.core.roles.mapping import read_mapping
from awsfed_lib.core.settings.table_file import read_table
from awsfed_lib.edges.amazon.accounts_file import read_accounts

SALES = ("012345678901", "Sales")
AS_PEOPLE_SEND_IT = {
    "plain": b"account_id,account_name\n012345678901,Sales\n",
    "a mark, quotes and CRLF": b'\xef\xbb\xbf"account_id","account_name"\r\n"012345678901","Sales"\r\n',
    "UTF-16, as Excel's Unicode text": "account_id\taccount_name\r\n012345678901\tSales\r\n".encode("utf-16"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + "account_id,account_name\n012345678901,Sales\n".encode("utf-16-be"),
    "semicolons": b"account_id;account_name\n012345678901;Sales\n",
    "Excel's line that names the separator": b"sep=;\r\naccount_id;account_name\r\n012345678901;Sales\r\n",
    "blanks after the separators": b'account_id, account_name\n012345678901, "Sales"\n',
    "names as AWS prints them": b"Id,Name,Status\n012345678901,Sales,ACTIVE\n",
    "names in another case": b"Account_ID , Account Name\n012345678901,Sales\n",
    "blank rows": b"account_id,account_name,ou_path\n\n,,\n012345678901,Sales,\n,,\n\n",
    "empty columns at the end": b"account_id,account_name,,\n012345678901,Sales,,\n",
    "an id with hyphens": b"account_id,account_name\n0123-4567-8901,Sales\n",
    "an id with an apostrophe": b"account_id,account_name\n'012345678901,Sales\n",
    "an id as a formula that gives text": b'account_id,account_name\n"=""012345678901""",Sales\n',
}


@pytest.mark.parametrize("form", AS_PEOPLE_SEND_IT)
def test_a_list_of_accounts_is_read_in_every_form(form, tmp_path):
    (tmp_path / "accounts.csv").write_bytes(AS_PEOPLE_SEND_IT[form])
    (account,) = read_accounts(str(tmp_path / "accounts.csv"))
    assert (account.account_id, account.account_name) == SALES


def test_umlauts_of_an_ordinary_excel_file_are_read():
    mapping = read_mapping("account_id;role_name;group_name\r\n004856030703;admin;Verwaltung München\r\n".encode("cp1252"))
    assert mapping[["account_id", "group_name"]].values.tolist() == [["004856030703", "Verwaltung München"]]
    lines = accepted.read("Finding ID,until,accepted_by,reason\r\nf-1,2027-01-31,Jörg,geprüft\r\n".encode("cp1252"))
    assert lines[["finding_id", "accepted_by", "reason"]].values.tolist() == [["f-1", "Jörg", "geprüft"]]


@pytest.mark.parametrize(
    ("raw", "code", "row"),
    [
        (b"account_id,account_name\n012345678901,Sales\n123456789012,Acme, Inc\n", "file-cells", "row 3"),
        (b"name\nx\n", "file-columns", ""),
        (b"account_id,Account ID\n1,2\n", "file-columns", ""),
        (b"account_id\n\x81\x8d\x00\n", "file-encoding", ""),
        (b'PK\x03\x04\x00\x00"', "file-encoding", ""),
    ],
)
def test_what_cannot_be_read_says_where(raw, code, row):
    with pytest.raises(ParameterError) as refused:
        read_table(raw, "accounts.csv", ("account_id", "account_name"), required=("account_id",))
    assert refused.value.code == code
    assert refused.value.where.endswith(row)


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=9).filter(lambda text: text.strip() and "\0" not in text),
            st.text(max_size=5).filter(lambda text: "\0" not in text),
        ),
        max_size=4,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_spreadsheet_wrote_is_read_back(table, separator, encoding):
    quoted = [separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (("reason", "note"), *table)]
    raw = "\r\n".join(quoted).encode(encoding, "replace")
    assert len(read_table(raw, "any.csv", ("reason", "note"))) == len(table)


@given(st.binary(max_size=80))
def test_no_bytes_are_a_crash(raw):
    with suppress(ParameterError):
        read_table(raw, "any.csv", ("account_id",), required=("account_id",))
