"""Parameters: what is right passes unchanged; a corpus of slips is refused, each with the words that help."""

import math
from pathlib import Path

import pytest
import yaml

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings import parameters, secrecy
from awsfed_lib.edges.records import parameter_file

TENANT, CLIENT, OBJECT = (f"{digit}f2b1c34-1234-4abc-9def-1234567890ab" for digit in "123")
GOOD = {
    "tenant_id": TENANT, "client_id": CLIENT, "application_id": OBJECT, "via": "awsfed-audit", "provider": "WAAD",
    "writer": "awsfed-writer", "remover": "awsfed-remover", "account_id": "012345678901",
    "certificate": "CN=AWS 2026", "review_file": "review.csv",
    "restore_from": "20261124T075100Z-04-approles-1f0c7f3a", "verify_run": "20261124T075100Z-06-assignments-1f0c7f3a-2",
}  # fmt: skip
JWT = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----"
SECRETS = {
    "token": JWT,
    "token of a header": f"Bearer {JWT}",
    "token without signature": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.",
    "opaque bearer token": "Bearer dGhpcy1pcy1hLXRva2Vu",
    "AWS access key": "AKIAIOSFODNN7EXAMPLE",
    "AWS temporary key": "ASIAIOSFODNN7EXAMPLE",
    "AWS secret key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS session token": "IQoJb3JpZ2luX2VjE" + "aB3d" * 20,
    "Entra client secret": "Ab1" + "8Q~" + "cdEFgh01_x.-~" * 2 + "abcdefgh",
    "Entra refresh token": "0.A" + "XkAbCdEf_-" * 6,
    "Entra refresh token of another tenant": "1.A" + "XkAbCdEf_-" * 6,
    "private key": PEM,
    "RSA private key": PEM.replace("PRIVATE", "RSA PRIVATE"),
    "encrypted private key": PEM.replace("PRIVATE", "ENCRYPTED PRIVATE"),
    "private key without its end": PEM.partition("-----END")[0],
    "certificate file in base64": "MIIK" + "QIBAzCCCkUGCSqGSIb3" * 4,
    "SAML assertion": '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">x</saml:Assertion>',
    "SAML response": '<samlp:Response ID="_1">x</samlp:Response>',
    "SAML response without prefix": '<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol">x</Response>',
    "SAML response in base64": "PHNhbWxwOlJlc3BvbnNl" + "aB3d" * 20,
    "SAML response in a form": "%3Csamlp%3AResponse%20ID%3D%22_1%22%20Version%3D%222.0%22%3E",
    "XML in base64": "PD94bWwgdmVyc2lvbj0i" + "aB3d" * 20,
    "SAS": "?sv=2024-11-04&sp=r&sig=ab%2Bcdefghijklmnopqrstuvwxyz012345%3D",
    "storage key": "DefaultEndpointsProtocol=https;AccountKey=abcdefghijklmnopqrstuvwxyz==",
    "address with a password": "https://admin:hunter22@proxy.example:8080",
    "code host token": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "password in words": "password: correct-horse",
    "base64 key": "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFCQ0RFRkdISUo=",
}
SECRET_NAMES = (
    "client_secret", "AZURE_CLIENT_SECRET", "secret", "password", "passwd", "pwd", "token", "access_token",
    "refresh_token", "id_token", "api_key", "apikey", "aws_secret_access_key", "aws_session_token", "aws_access_key_id",
    "private_key", "certificate_password", "pfx", "credential", "credentials", "saml_assertion", "sas_url", "bearer",
    "cookie", "client-secret", "passphrase",
)  # fmt: skip
TYPOS = {
    "tenant": "tenant_id", "tenantid": "tenant_id", "TenantId": "tenant_id", "tenant-id": "tenant_id", "clientid": "client_id",
    "aproved": "approved", "approve": "approved", "aprroved": "approved", "dry_run": "", "force": "", "confirm": "", "aplication_id": "application_id",
    "app_id": "", "max_removes": "max_removed", "max_remove": "max_removed", "include_account": "include_accounts", "exclude": "",
    "worker": "workers", "threads": "", "providers": "provider", "group_names": "group_name", "role_labels": "role_label", "break_glas": "break_glass",
    "fail_at": "", "externalid": "external_id", "partitions": "partition", "signin": "sign_in", "cluod": "cloud", "groupmap": "group_map", "": "", "<<": "",
}  # fmt: skip
BAD = {
    "tenant_id": [
        (1402433619, "number"), (True, "must be text"), (None, "is empty"), ([TENANT], "a list"), ({"id": TENANT}, "a mapping"), (1.5, "number"),
        ("contoso.onmicrosoft.com", "not a GUID"), ("hunter2", "not a GUID"), (TENANT.upper(), "lower case"), ("{" + TENANT + "}", "without braces"),
        (TENANT.replace("-", ""), "not a GUID"), (TENANT[:-1], "not a GUID"), (TENANT + "0", "not a GUID"), (f" {TENANT}", "space"), (f"{TENANT}\n", "space"),
        ("00000000-0000-0000-0000-000000000000", "all zeros"), (TENANT.replace("1", "\u0661"), "not a GUID"), (f"{TENANT[:8]}\u200b{TENANT[8:]}", "U+200B"),
        ("SANDBOX_TENANT_ID", "not a GUID"), (f"https://login.microsoftonline.com/{TENANT}", "not a GUID"), (b"x", "binary"),
    ],
    "client_id": [("my-app", "not a GUID"), (12, "number"), (TENANT, "same as tenant_id"), (f"api://{CLIENT}", "not a GUID")],
    "application_id": [("AWS", "not a GUID"), (CLIENT, "object id of the enterprise application"), (TENANT, "object id of the enterprise application")],
    "application_name": [("x" * 91, "91 characters"), (5, "number"), (" AWS", "space"), ("a\nb", "U+000A")],
    "identifier": [("urn:amazon:webservices", "must be like"), ("https://signin.aws.amazon.com/saml2", "must be like"), ("https://signin.aws.amazon.com/saml#", "must be like")],
    "endpoints": [("global", "must be a list"), ([], "at least"), (["Global"], "neither global"), (["https://x.example"], "neither global"), (["eu-west-1", "eu-west-1"], "twice")],
    "relay_state": [("http://console.aws.amazon.com", "must begin with https://"), ("javascript:alert(1)", "must begin with https://"), ("https://a b", "must begin with https://")],
    "notify": [("a@x.example", "must be a list"), (["nobody"], "no mail address"), (["a b@x.example"], "no mail address"), ([f"{n}@x.example" for n in range(6)], "takes 5")],
    "claims_policy": [("x" * 257, "257 characters"), (True, "must be text")],
    "session_duration": [(899, "at least 900"), (43_201, "at most 43200"), ("3600", "without quotes"), (True, "whole number")],
    "session_name": [("user.userprincipalname", "no attribute"), ("", "no attribute"), ("UserPrincipalName", "no attribute")],
    "certificate": [("AWS 2026", "must begin with CN="), ("CN=", "must begin with CN="), ("cn=x", "must begin with CN=")],
    "test_user": [("britta", "no user name"), ("a@b", "no user name"), (7, "number")],
    "restore_from": [("../20261124T075100Z-04-approles-1f0c7f3a", "behind runs/"), ("runs/20261124T075100Z-x", "behind runs/"), ("..", "no name of a run"),
                     (".hidden", "no name of a run"), ("a..b", "no name of a run"), ("C:\\runs", "no name of a run"), ("", "is empty"), ("a b", "no name"), (7, "number")],
    "verify_run": [("/etc/passwd", "behind runs/"), ("~", "no name of a run"), ("x" * 201, "no name of a run"), ("a\x00b", "U+0000"), (None, "is empty")],
    "review_file": [("", "is empty"), ("../review.csv", "below parameters/"), ("review.xls", "must name a .csv or .xlsx file"), ("review.xlsm", "must name"), (7, "number")],
    "entered_from": [("/tmp/used.csv", "below parameters/"), ("used.txt", "must name a .csv file"), ("Lookup", "must name a .csv file"), (True, "must be text")],
    "trail_days": [(0, "at least 1"), (401, "at most 400"), ("90", "without quotes")],
    "trail_pages": [(0, "at least 1"), (201, "at most 200"), (True, "whole number")],
    "kernel_variables": [("A", "must be a list"), (["A=b"], "no name of a variable"), (["AWSFED_ALERT_TEAMS"], "not passed on")],
    "stack_regions": [("us-east-1", "must be a list"), (["global"], "no region code")],
    "trail_regions": [("us-east-1", "must be a list"), (["global"], "no region code"), (["us-east-1", "us-east-1"], "twice"), (["us-east-1'"], "no region code")],
    "trail_table": [("", "no name of a table"), ("a;b", "no name of a table"), ('a"b', "no name of a table"), ("a.b.c.d", "no name of a table"), ("x" * 201, "201 characters")],
    "trail_partitions": [("account", "must be a list"), (["date"], "none of account"), (["month"], "without year"), (["account", "account"], "twice")],
    "log_days": [(0, "at least 1"), (31, "at most 30"), ("30", "without quotes"), (True, "whole number")],
    "wait_minutes": [(-1, "at least 0"), (10_081, "at most 10080"), ("20", "without quotes"), (True, "whole number")],
    "user": [("Britta Simon", "must be a user name"), ("britta@", "must be a user name"), (CLIENT.upper(), "must be a user name"), ("../x@y.z", "must be a user name")],
    "group": [(" Admins", "space"), ("x" * 257, "257 characters"), (5, "number"), (["Admins"], "a list")],
    "role": [("x" * 513, "513 characters"), ("a\nb", "U+000A"), (True, "must be text")],
    "cloud": [("globl", "Did you mean global"), ("Global", "must be one of"), ("us-gov", "Did you mean usgov"), ("public", "must be one of"), ("", "must be one of"),
              ("germany", "must be one of"), (1, "must be one of"), (None, "must be one of"), (["global"], "must be one of"), ("usgov ", "must be one of")],
    "sign_in": [("cert", "must be one of"), ("password", "must be one of"), ("device_code", "Did you mean device-code"), ("managed_identity", "Did you mean managed-identity"),
                ("Certificate", "Did you mean certificate"), (True, "must be one of")],
    "partition": [("aws-gov", "Did you mean aws"), ("gov", "must be one of"), ("arn:aws", "must be one of"), ("aws-iso", "must be one of"), (None, "must be one of")],
    "via": [
        ("arn:aws:iam::123456789012:role/ops/Reader", "ops/Reader"), ("arn:aws:iam::123456789012:role", "is an ARN"), ("Reader Role", "no name of an IAM role"),
        ("/Reader", "no name"), ("Reader/", "no name"), ("a" * 65, "no name"), ("R\u00f6le", "no name"), ("Reader;rm", "no name"), ("*", "no name"), (7, "number"), ("x\ty", "U+0009"),
    ],
    "external_id": [("x" * 1225, "1225 characters"), (123456789012, "quote it"), (" id", "space"), ("a\x00b", "U+0000"), (False, "must be text")],
    "provider": [("arn:aws:iam::123456789012:saml-provider/WAAD", "only what stands after saml-provider/: WAAD"), ("WA AD", "no name of a SAML provider"),
                 ("a" * 129, "no name"), ("W/A", "no name"), ("", "is empty"), (["WAAD"], "a list"), ("WAAD,Other", "no name")],
    "accounts_file": [("../accounts.csv", "below parameters/"), ("/etc/accounts.csv", "below parameters/"), ("~/a.csv", "below parameters/"), ("a/../../b.csv", "below parameters/"),
                      ("C:\\a.csv", "below parameters/"), ("C:a.csv", "below parameters/"), ("accounts.xlsx", ".csv"), ("accounts", ".csv"), ("..\\a.csv", "below parameters/"), (1, "number")],
    "group_map": [("../g.csv", "below parameters/"), ("/g.csv", "below parameters/"), ("file:///g.csv", "below parameters/"), ("g.yml", ".csv"), ("g.csv\x00.yml", "U+0000")],
    "include_accounts": [
        ("123456789012", "must be a list"), ([123456789012], 'quote it, "123456789012"'), ([12345678901], "lost a leading zero"), ([1402433619], "read as octal"),
        (["12345678901"], "lost a leading zero"), (["1402433619"], "read as octal"), (["1234567890123"], "has 13"), (["2024"], "12 digits"), (["\u0661" * 12], "12 digits"),
        ([""], "empty entry"), ([" Sales"], "space"), (["Sales", "Sales"], "twice"), ([None], "is empty"), ([["a"]], "a list"), ([{"id": "a"}], "a mapping"), ([True], "must be text"),
        ([1.23456789012e11], "number"), ({"a": "b"}, "a mapping"), (None, "Write []"), (12, "must be a list"), (["x" * 257], "257 characters"), (["a\u202eb"], "U+202E"),
        (["a"] * 10_001, "at most 10000"), ([12345678901, "1402433619"], "lost a leading zero"),
    ],
    "exclude_accounts": [("Sales", "must be a list"), (["98765432109"], "lost a leading zero"), ([0], "number"), (["a", "b", "a"], "twice")],
    "workers": [(0, "at least 1"), (65, "at most 64"), (-1, "at least 1"), ("8", "without quotes"), (8.0, "whole number"), (True, "whole number"), (None, "is empty"),
                ([8], "whole number"), ("many", "whole number"), (math.inf, "whole number"), (math.nan, "whole number"), (10**30, "at most 64"), ("1_0", "whole number")],
    "max_removed": [(-1, "at least 0"), (10_001, "at most 10000"), ("0", "without quotes"), (False, "whole number"), ("all", "whole number"), ("10%", "whole number"), (0.5, "whole number")],
    "role_label": [("{role}", "may hold"), ("{role_name.__class__}", "may hold"), ("{role_name!r}", "may hold"), ("{role_name:>9}", "may hold"), ("{0}", "may hold"), ("{}", "may hold"),
                   ("{role_name", "without its partner"), ("role_name}", "without its partner"), ("AWS", "must hold {role_name}"), ("{account_id}", "must hold {role_name}"),
                   ("{role_name}" + "x" * 200, "211 characters"), ("{role_name[0]}", "may hold"), (5, "number")],
    "group_name": [("AWS-{account_id}", "two roles get one name"), ("{account_id}{role_name}{x}", "may hold"), ("", "must hold"),
                   ("{account_id}-{role_name}\n", "space")],
    "protected_roles": [("*Admin*", "must be a list"), ([""], "empty entry"), ([1], "number"), (["*Admin*", "*Admin*"], "twice")],
    "protected_groups": [("x", "must be a list"), (["x\ny"], "U+000A"), ([None], "is empty")],
    "break_glass": [("admin@contoso.example", "must be a list"), ([TENANT, TENANT], "twice"), ([0], "number"), (None, "Write []")],
    "fail_on": [("severe", "must be one of"), ("none", "must be one of"), ("High", "Did you mean high"), ("note", "must be one of"), (False, "must be one of"), (1, "must be one of")],
    "approved": [(True, "a yes approves nothing"), ("yes", "a yes approves nothing"), ("True", "a yes approves nothing"), ("plan-123", "no id of a plan"), ("123e4567", "no id of a plan"),
                 (math.inf, "number"), ("PLAN-0123456789ABCDEF0123456789ABCDEF", "no id of a plan"), ("plan-0123456789abcdef0123456789abcdeg", "no id of a plan"), ("plan-0123456789abcdef0123456789abcdef0", "no id of a plan"),
                 (1234567890123456, "number"), ("plan-0123456789abcdef0123456789abcdef ", "space"), ("*", "no id of a plan"), ("plan-0123456789abcdef", "earlier version"), (None, "is empty"), (["plan-0123456789abcdef0123456789abcdef"], "a list")],
}  # fmt: skip
BAD_TOGETHER = [
    ({"cloud": "china", "partition": "aws"}, "partition is aws"),
    ({"cloud": "china", "partition": "aws-us-gov"}, "does not reach"),
    ({"cloud": "usgov", "partition": "aws-cn"}, "does not reach"),
    ({"cloud": "usgov-dod", "partition": "aws-cn"}, "does not reach"),
    ({"include_accounts": ["Sales"], "exclude_accounts": ["Sales"]}, "which include_accounts names too"),
]
CORPUS = [
    *(({name: value}, words) for name, cases in BAD.items() for value, words in cases),
    *(({name: "x"}, f"Did you mean {meant}?" if meant else "is no parameter") for name, meant in TYPOS.items()),
    *(({name: "x"}, "is the name of a secret") for name in SECRET_NAMES),
    *(({"external_id": value}, "looks like") for value in SECRETS.values()),
    *BAD_TOGETHER,
]


def refused(given: dict, **more: object) -> str:
    with pytest.raises(ParameterError) as caught:
        parameters.check({**GOOD, **given}, needed=parameters.NAMES, **more)
    return str(caught.value)


def test_corpus_is_large():
    assert len(CORPUS) >= 200


@pytest.mark.parametrize(("given", "words"), CORPUS, ids=lambda part: repr(part)[:60] if isinstance(part, dict) else "")
def test_slip_is_refused_with_the_words_that_help(given, words):
    message = refused(given)
    assert words in message
    assert "One parameter is wrong" in message


@pytest.mark.parametrize("name", parameters.NAMES)
@pytest.mark.parametrize("secret", SECRETS, ids=str)
def test_secret_is_refused_in_every_parameter_and_never_repeated(name, secret):
    """A parameter is stored twice by papermill, in a cell and in the metadata (github.com/nteract/papermill issue 271)."""
    value = SECRETS[secret]
    kind = parameters.described(name).kind
    message = refused({name: [value] if kind == "list of text" else value})
    assert f"{name} holds what looks like" in message
    assert value[:16] not in message


@pytest.mark.parametrize("secret", SECRETS, ids=str)
def test_secret_as_a_name_is_not_repeated(secret):
    assert SECRETS[secret][:16] not in refused({SECRETS[secret]: 1})


def test_wrong_value_of_an_id_is_not_repeated():
    assert "Sommer-2026" not in refused({"tenant_id": "Sommer-2026!"})


def test_all_problems_are_said_at_once():
    message = refused({"workers": 0, "aproved": "x", "cloud": "globl", "include_accounts": ["12345678901"]})
    assert "4 parameters are wrong" in message
    assert all(name in message for name in ("workers", "aproved", "cloud", "include_accounts"))


def test_all_wrong_entries_of_a_list_are_said():
    message = refused({"include_accounts": ["12345678901", "1402433619", "Sales", "2024"]})
    assert all(entry in message for entry in ("12345678901", "1402433619", "2024"))


@pytest.mark.parametrize("name", ["tenant_id", "client_id", "application_id", "via", "provider"])
def test_what_a_runbook_needs_must_be_given(name):
    given = {other: value for other, value in GOOD.items() if other != name}
    with pytest.raises(ParameterError, match=f"{name} is empty"):
        parameters.check(given, needed=[name])
    assert parameters.check(given, needed=[]).model_dump()[name] == ""


def test_system_assigned_identity_has_no_client_id():
    given = {**GOOD, "client_id": "", "sign_in": "managed-identity"}
    assert parameters.check(given, needed=parameters.NAMES).client_id == ""


@pytest.mark.parametrize(
    "given",
    [
        {"include_accounts": ["012345678901", "Sales", "Workloads/Prod/*", "ou-ab12-cdefgh34"]},
        {"via": "ops/Reader+=,.@_-"}, {"external_id": CLIENT}, {"approved": "plan-0123456789abcdef0123456789abcdef"}, {"cloud": "usgov", "partition": "aws-us-gov"}, {"partition": "aws-eusc"},
        {"user": "maria_fabrikam.example#EXT#@contoso.example"}, {"user": CLIENT}, {"group": 'Ops & "Co"'}, {"role": "Prod / Admin"}, {"wait_minutes": 0},
        {"cloud": "global", "partition": "aws-cn"}, {"cloud": "sandbox"}, {"accounts_file": "sub/accounts.CSV"}, {"group_name": "{account_name}.{role_name}"},
        {"role_label": "{{{role_name}}}"}, {"break_glass": ["admin@contoso.example", CLIENT]}, {"protected_roles": ["*[Aa]dmin*"]}, {"workers": 64}, {"max_removed": 0},
    ],
)  # fmt: skip
def test_right_values_pass_unchanged(given):
    checked = parameters.check({**GOOD, **given}, needed=parameters.NAMES)
    assert parameters.plain(checked).items() >= {**GOOD, **given}.items()


def test_checked_parameters_are_frozen():
    checked = parameters.check(GOOD)
    with pytest.raises(Exception, match="frozen"):
        checked.approved = "plan-0123456789abcdef0123456789abcdef"
    assert hash(checked)


def test_every_parameter_has_help_and_a_kind():
    for name in parameters.NAMES:
        described = parameters.described(name)
        assert described.help.endswith(".")
        assert described.kind


def test_command_line_gives_text():
    """`papermill -p account_id 012345678901` makes a number of it; here text stays text."""
    assert parameters.from_text("include_accounts", "012345678901, Sales") == ["012345678901", "Sales"]
    assert parameters.from_text("exclude_accounts", '["*", "a, b"]') == ["*", "a, b"]
    assert parameters.from_text("exclude_accounts", "[ab]*, c") == ["[ab]*", "c"]
    assert parameters.from_text("exclude_accounts", '["*') == '["*', "no list, and refused by the check"
    assert parameters.from_text("approved", "123e4567") == "123e4567"
    assert parameters.from_text("workers", "8") == 8
    assert parameters.from_text("workers", "1_0") == "1_0"
    with pytest.raises(ParameterError, match="Did you mean workers"):
        parameters.from_text("worker", "8")


# --- the file ---


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "some.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def file_checked(path: Path) -> parameters.Parameters:
    read = parameter_file.load(path)
    return parameters.check(read.values, source=read.source)


def file_refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ParameterError) as caught:
        file_checked(written(folder, text))
    assert str(folder / "some.yml") in str(caught.value)
    return str(caught.value)


BAD_FILES = {
    "octal account": ("include_accounts:\n  - 012345670123\n", "line 2: include_accounts is 012345670123 without quotes, which other YAML readers take for the number 1402433619"),
    "account that is octal by luck not": ("include_accounts: [012345678901]", "012345678901 without quotes"),
    "account as a number": ("include_accounts: [123456789012]", 'quote it, "123456789012"'),
    "account in an id parameter": ("external_id: 123456789012", "quote it"),
    "date": ("external_id: 2026-11-24", "a date"),
    "time": ("external_id: 2026-11-24T00:00:00Z", "a date"),
    "sexagesimal": ("external_id: 12:30:45", "the number 45045"),
    "hexadecimal": ("external_id: 0x1F", "the number 31"),
    "binary": ("external_id: 0b11", "the number 3"),
    "underscores": ("workers: 1_0", "Write digits only"),
    "float": ("workers: 1.5", "a number"),
    "infinity": ("approved: .inf", "a number"),
    "not a number": ("approved: .nan", "a number"),
    "yes": ("external_id: yes", "true or false"),
    "Norway": ("external_id: no", "true or false"),
    "on": ("external_id: on", "true or false"),
    "true": ("approved: true", "a yes approves nothing"),
    "null": ("via: null", "is empty"),
    "nothing": ("via:\n", "is empty"),
    "tilde": ("via: ~", "is empty"),
    "list where text belongs": ("via: [a]", "a list"),
    "mapping": ("via: {a: b}", "holds a mapping"),
    "mapping in a list": ("include_accounts: [{a: b}]", "holds a mapping"),
    "list in a list": ("include_accounts: [[a]]", "a list in a list"),
    "tag": ("via: !secret x", "has a tag"),
    "python tag": ("via: !!python/object/apply:os.system [id]", "has a tag"),
    "text tag on octal": ("via: !!str 012", "has a tag"),
    "binary tag": ("via: !!binary aGk=", "has a tag"),
    "anchor": ("via: &a x", "anchor"),
    "alias": ("via: &a x\nprovider: *a", "line 2: *"),
    "merge": ("base: &b {via: x}\n<<: *b", "(an anchor or alias) is refused"),
    "unknown alias": ("via: *nowhere", "no YAML that awsfed reads"),
    "twice": ("via: a\nprovider: WAAD\nvia: b", "line 3: via stands twice; first on line 1"),
    "typo with its line": ("via: a\n\naproved: x", "line 3: aproved is no parameter. Did you mean approved?"),
    "secret with its line": (f"via: a\nexternal_id: {JWT}", "line 2: external_id holds what looks like"),
    "secret name with its line": ("via: a\nclient_secret: x", "line 2: client_secret is the name of a secret"),
    "bad value with its line": ("\n\ncloud: globl", "line 3: cloud"),
    "empty": ("", "holds no `name: value` lines"),
    "only comments": ("# nothing\n", "holds no `name: value` lines"),
    "list": ("- via\n", "holds no `name: value` lines"),
    "text": ("via", "holds no `name: value` lines"),
    "two documents": ("via: a\n---\nvia: b", "no YAML"),
    "tab": ("include_accounts:\n\t- a", "line 2"),
    "open bracket": ("include_accounts: [a", "no YAML"),
    "open quote": ('via: "a', "no YAML"),
    "directive": ("%FOO\nvia: a", "no YAML"),
    "complex name": ("? [a, b]\n: c", "is no text"),
    "number as a name": ("1: a", "is no parameter"),
    "json with a comment": ("{via: a, // x\n}", ""),
    "latin-1": (b"via: R\xf6le", "not UTF-8"),
    "utf-16": ("via: a".encode("utf-16"), "not UTF-8"),
    "control character": (b"via: a\x07", "no YAML"),
    "zero byte": (b"via: a\x00b", "no YAML"),
    "too large": ("# " + "x" * parameter_file.LARGEST, "larger than"),
    "deep": ("via: " + "[" * 2000 + "]" * 2000, ""),
    "name of emoji": ("\U0001f511: x", "is no parameter"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_file_is_refused_with_the_words_that_help(case, tmp_path):
    text, words = BAD_FILES[case]
    assert words in file_refused(tmp_path, text)


@pytest.mark.parametrize("secret", SECRETS, ids=str)
def test_file_with_a_secret_is_refused_without_repeating_it(secret, tmp_path):
    value = SECRETS[secret]
    message = file_refused(tmp_path, yaml.safe_dump({"external_id": value, "via": value}))
    assert value[:16] not in message


def test_file_that_breaks_is_not_quoted(tmp_path):
    """PyYAML shows the broken line; here it may hold a password."""
    assert "hunter2" not in file_refused(tmp_path, "via: a\nexternal_id: 'hunter2\n")


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.yml", tmp_path):
        with pytest.raises(ParameterError, match="no such parameter file"):
            parameter_file.load(path)


def test_good_file_means_the_same_to_every_reader(tmp_path):
    """Another reader, papermill, reads the same file with PyYAML's SafeLoader: whatever is accepted must come out equal there."""
    text = f"""\
\ufeff# a comment
tenant_id: {TENANT}   # no quotes needed
client_id: "{CLIENT}"
application_id: '{OBJECT}'
via: ops/Reader
include_accounts:
  - "012345678901"
  - Sales
exclude_accounts: []
workers: 8
max_removed: 0
role_label: "{{account_name}} / {{role_name}}"
external_id: "2026-11-24"
"""
    read = parameter_file.load(written(tmp_path, text))
    checked = parameters.check(read.values, source=read.source)
    assert checked.include_accounts == ("012345678901", "Sales")
    assert read.values == yaml.safe_load(text)


def test_templates_of_the_repository_have_every_name():
    for name in ("example.yml", "tutorial.yml", "sandbox.yml"):
        read = parameter_file.load(Path(__file__).parents[1] / "parameters" / name)
        assert not read.source.problems
        assert set(read.values) <= set(parameters.NAMES) - {"approved"}
    assert set(read.values) >= {"tenant_id", "client_id", "application_id", "via", "provider", "cloud"}


# --- what looks like a secret ---

CLEAN = [
    TENANT, "123456789012", "arn:aws:iam::123456789012:role/ops/Administrator,arn:aws:iam::123456789012:saml-provider/WAAD", "plan-0123456789abcdef0123456789abcdef",
    "AWS-123456789012-ReadOnlyAccess", "AWSReservedSSO_AdministratorAccess_0123456789abcdef", "Contoso / Administrator", "admin@contoso.example",
    "3f786850e387550fdab836ed7e6dc881de23001b", "https://sts.windows.net/9f2b1c34-1234-4abc-9def-1234567890ab/", "Workloads/Prod/*", "msiam_access",
    "https://aws.amazon.com/SAML/Attributes/Role", "https://signin.aws.amazon.com/saml", "urn:amazon:webservices", "sha256:" + "ab" * 32, "eyJ", "Bearer",
    "-----BEGIN CERTIFICATE-----\nMIIC8DCCAdigAwIBAgIQ\n-----END CERTIFICATE-----", "SAML:aud", "ou-ab12-cdefgh34", "r-ab12", "design=oriented", "", "token",
]  # fmt: skip


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_is_no_secret(text):
    assert secrecy.kind(text) == ""
    assert secrecy.redacted(text) == text


SURE = [name for name, value in SECRETS.items() if any(rule.form.search(value) for rule in secrecy.ANYWHERE)]


def test_most_forms_are_sure_inside_any_text():
    """A digest looks like forty characters of base64, so that an AWS secret key only counts where it stands alone."""
    assert len(SECRETS) - len(SURE) <= 5


@pytest.mark.parametrize("secret", SURE)
@pytest.mark.parametrize(
    "around", ["{}", "token={} end", '{{"a": "{}"}}', "<td>{}</td>", "line one\n  {}\nline three", "\x1b[31m{}\x1b[0m"]
)
def test_secret_inside_a_text_is_removed(secret, around):
    assert SECRETS[secret] not in secrecy.redacted(around.format(SECRETS[secret]))


def test_redaction_is_linear():
    for text in (
        "a:" * 200_000,
        "eyJ" * 200_000,
        "<saml:Assertion " * 50_000,
        "-----BEGIN PRIVATE KEY" * 50_000,
        "x://a" * 100_000,
        "AKIA" * 200_000,
    ):
        secrecy.redacted(text)
