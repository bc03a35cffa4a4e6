"""The access review by its tables alone: who reaches what, what the logs know of use, and what nobody may conclude from them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from made import account, accounts, arn, assignment, assignments, group, groups, guid, live, member, members, role, roles, seen, value, wire

from awsfed_lib.core.access_shapes import ENTERED, SIGNED_IN, WINDOWS
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review import access, audit, trail, trail_query, use
from awsfed_lib.core.tables import PATHS, frame, rows
from awsfed_lib.edges.explorer import STATIC, Explorer

A, B, CLOSED = "000000012345", "111111111111", "222222222222"
ADMIN, OPS, OTHER, GONE = wire(A, "Admin"), wire(A, "Ops"), wire(B, "Admin"), wire(CLOSED, "Admin")
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
MONTH = (NOW - timedelta(days=30), NOW)
EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"
LIVE = live(ADMIN, OPS, OTHER, GONE)
ROLES = roles(
    role(A, "Admin", policies=EVERYTHING, max_session=7200, last_used=NOW - timedelta(days=3)),
    role(A, "Ops", policies="arn:aws:iam::aws:policy/ReadOnlyAccess; inline:ops", max_session=3600),
    role(B, "Admin", policies=EVERYTHING, max_session=43_200),
)
ACCOUNTS = accounts(account(A), account(B), account(CLOSED, problem="denied"))
HELD = assignments(
    assignment(ADMIN["id"], "Admins"), assignment(ADMIN["id"], "Leads"), assignment(OPS["id"], "Ops"), assignment(OTHER["id"], "Admins"),
    assignment(OPS["id"], "dora", "User"), assignment(GONE["id"], "Admins"),
)  # fmt: skip
MEMBERS = members(
    member("Admins", "ann"), member("Leads", "ann"), member("Admins", "bob"), member("Ops", "carl"), member("Ops", "dan", enabled=False),
    member("Ops", "Inner", "Group"), member("Inner", "nadia"), member("", "dora"),
)  # fmt: skip
GROUPS = groups(*(group(name) for name in ("Admins", "Leads", "Ops", "Inner")))
PATHS_ = audit.paths(*seen(app_roles=LIVE, assignments=HELD, members=MEMBERS, groups=GROUPS, roles=ROLES, accounts=ACCOUNTS))
ANN, BOB, CARL = (f"{name}@contoso.example" for name in ("ann", "bob", "carl"))


def signed(*names, window=MONTH):
    uses = frame(SIGNED_IN, [{"user_name": name, "last_success": NOW - timedelta(days=1), "successes": 1, "failures": 0} for name in names])
    return use.Log("Sign-in log", uses, *window)


def entered(*pairs, window=MONTH):
    known = [{"account_id": A, "role_arn": one, "user_name": name, "last_entered": NOW, "sessions": 1, "refused": 0} for one, name in pairs]
    return use.Log("CloudTrail", frame(ENTERED, known), *window)


def known(sign_ins=None, entries=None):
    return use.Use(sign_ins or use.unread("Sign-in log", "refused"), entries or use.unread("CloudTrail", "none"), ROLES, ACCOUNTS)


def by_account(**logs):
    return access.by_account(PATHS_, known(**logs))


def of(table, **wanted):
    return [row for row in rows(table) if all(row[name] == cell for name, cell in wanted.items())]


def test_who_reaches_an_account_administrators_first():
    table = by_account()
    assert [(row["role_name"], row["user_name"], row["through"]) for row in of(table, account_id=A, administrator=True)] == [
        ("Admin", ANN, "Admins; Leads"), ("Admin", BOB, "Admins"),
    ]  # fmt: skip
    assert table.loc[table["account_id"] == A, "administrator"].tolist() == [True] * 2 + [False] * 4
    assert of(table, user_name="dora@contoso.example")[0]["through"] == "directly"
    assert of(table, role_arn=arn(A, "Admin"))[0]["max_session"] == 2


def test_nested_disabled_and_unread_stay_with_their_verdict():
    """Who does not get in is shown, never left out, and is not counted as access."""
    table = by_account()
    verdicts = {row["user_name"].partition("@")[0]: row["verdict"] for row in of(table, role_arn=arn(A, "Ops"))}
    assert verdicts == {"carl": "effective", "dan": "user disabled", "nadia": "nested", "dora": "effective"}
    assert {row["verdict"] for row in of(table, account_id=CLOSED)} == {"unread"}
    assert of(table, account_id=CLOSED)[0]["max_session"] is None
    people = access.by_user(table, known())
    assert not of(people, account_id=CLOSED)
    assert not of(people, user_name="nadia@contoso.example")


def test_the_best_of_several_paths_counts():
    held = assignments(assignment(ADMIN["id"], "Outer"), assignment(ADMIN["id"], "Leads"))
    inside = members(member("Outer", "Inner", "Group"), member("Inner", "ann"), member("Leads", "ann"))
    all_groups = groups(group("Outer"), group("Inner"), group("Leads"))
    paths = audit.paths(*seen(app_roles=LIVE, assignments=held, members=inside, groups=all_groups, roles=ROLES, accounts=ACCOUNTS))
    assert [(row["verdict"], row["through"]) for row in rows(access.by_account(paths, known()))] == [("effective", "Leads")]


def test_what_a_person_reaches():
    people = access.by_user(by_account(sign_ins=signed(ANN)), known(sign_ins=signed(ANN)))
    mine = of(people, user_name=ANN)
    assert [(row["account_id"], row["roles"], row["through"], row["max_session"]) for row in mine] == [
        (A, "Admin", "Admins; Leads", 2), (B, "Admin", "Admins", 12),
    ]  # fmt: skip
    assert mine[0]["signed_in"] == NOW - timedelta(days=1)
    assert of(people, user_name=BOB)[0]["signed_in"] is None


def test_a_person_who_is_assigned_directly_has_one_name():
    """An assignment keeps the display name of its time; the person is known by user name."""
    assert of(by_account(), through="directly")[0]["user_name"] == "dora@contoso.example"
    alone = audit.paths(
        *seen(app_roles=LIVE, assignments=HELD, members=members(member("Ops", "carl")), groups=GROUPS, roles=ROLES, accounts=ACCOUNTS)
    )
    assert {row["user_name"] for row in of(alone, group_name="") if row["user_name"]} == {"dora"}


def test_a_disabled_person_who_is_assigned_directly_gets_nothing():
    paths = audit.paths(
        *seen(
            app_roles=LIVE,
            assignments=assignments(assignment(OPS["id"], "dora", "User")),
            members=members(member("", "dora", enabled=False)),
            groups=GROUPS,
            roles=ROLES,
            accounts=ACCOUNTS,
        )
    )
    assert [row["verdict"] for row in rows(paths)] == ["user disabled"]


@pytest.mark.parametrize(
    "policies",
    ["", "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::1:policy/NotAdministratorAccess2", "inline:AdministratorAccess"],
)
def test_only_administrator_access_is_called_everything(policies):
    assert not access.gives_everything(policies)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_administrator_access_of_every_partition(partition):
    assert access.gives_everything(f"inline:x; arn:{partition}:iam::aws:policy/AdministratorAccess")


def test_nobody_is_unused_by_a_log_that_was_not_read():
    """Unknown is never absent."""
    table = use.unused(by_account(), known())
    assert {row["what"] for row in rows(table)} == {"role"}
    told = {row["fact"]: row["value"] for row in rows(use.known(known()))}
    assert told["Sign-in log"] == "not known: refused"


def test_unused_names_the_log_and_its_window():
    logs = {"sign_ins": signed(ANN, CARL)}
    table = use.unused(by_account(**logs), known(**logs))
    assert [row["user_name"].partition("@")[0] for row in of(table, what="person")] == ["bob", "dora"]
    assert of(table, what="person")[0]["by"] == "Sign-in log, 2026-10-25 06:00 to 2026-11-24 06:00 UTC"
    assert of(table, what="person")[0]["gives"] == "roles: 2, in accounts: 2; administrator in 2"


def test_names_of_logs_are_compared_without_case():
    assert known(sign_ins=signed(ANN)).signed_in("Ann@Contoso.example")


def test_roles_that_nobody_used_are_of_accounts_that_were_read():
    table = use.unused(by_account(), known())
    assert [row["role_arn"] for row in of(table, what="role")] == [arn(A, "Ops"), arn(B, "Admin")]
    unread = use.Use(signed(), entered(), ROLES, accounts(account(A, problem="denied"), account(B)))
    assert [row["role_arn"] for row in of(use.unused(by_account(), unread), what="role")] == [arn(B, "Admin")]


def test_single_paths_are_unused_by_cloudtrail_only():
    """Entra ID's log knows the person, not the role; paths of a person who never came are not listed one by one."""
    logs = {"sign_ins": signed(ANN, CARL), "entries": entered((arn(A, "Admin"), ANN))}
    table = use.unused(by_account(**logs), known(**logs))
    assert [(row["user_name"], row["role_arn"]) for row in of(table, what="path")] == [(CARL, arn(A, "Ops")), (ANN, arn(B, "Admin"))]
    assert of(by_account(**logs), user_name=ANN, role_arn=arn(A, "Admin"))[0]["entered"] == NOW


def test_last_use_in_words():
    logs = known(sign_ins=signed(BOB), entries=entered((arn(A, "Admin"), ANN)))
    assert use.last_use(arn(A, "Admin"), ANN, logs) == (
        "entered 2026-11-24; person not signed in since 2026-10-25; role used by anybody 2026-11-21"
    )
    assert use.last_use(arn(CLOSED, "Admin"), ANN, known()) == "not known"


def test_figures():
    told = {row["fact"]: row["value"] for row in rows(access.overview(by_account(), use.unused(by_account(), known())))}
    assert told["gives everything (AdministratorAccess)"] == "people: 2; roles: 2; accounts: 2"
    assert told["not used, by the logs that were read"] == "roles: 2"


def test_administrators_are_those_who_get_in():
    found = access.administrators(by_account())
    assert set(zip(found["account_id"], found["user_name"], strict=True)) == {(A, ANN), (A, BOB), (B, ANN), (B, BOB)}


# CloudTrail through Athena: the query and its answer are proven in test_trail_query.py

HEAD = ",".join(f'"{name}"' for name in trail_query.COLUMNS)
SELECTED = {A: "Sales", B: "Lab"}


def line(
    role_arn=arn(A, "Admin"),
    name="ann@contoso.example",
    last="2026-11-20T10:00:00Z",
    window=("2026-08-26T00:00:00Z", "2026-11-24T00:00:00Z"),
):
    return ",".join(f'"{cell}"' for cell in (A, role_arn, name, last, "3", "1", "4", *window, *window, "us-east-1"))


def result(*lines):
    return "\n".join([HEAD, *lines]) + "\n"


def read(text):
    return trail_query.read(text, SELECTED, PATHS_)


def test_the_result_of_the_query_tells_its_own_window():
    log = read("\ufeff" + result(line(), line(arn(A, "Ops"), "carl@contoso.example", "")))
    assert (log.known, log.begin, log.uses["refused"].tolist()) == (True, datetime(2026, 8, 26, tzinfo=UTC), [1, 1])
    assert known(entries=log).entered(arn(A, "Admin"), ANN) == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert known(entries=log).entered(arn(A, "Ops"), CARL) is None


def test_an_empty_result_judges_nobody():
    """No window is told, and a query of the wrong trail gives nothing as well."""
    log = read(result())
    assert not log.known
    assert "empty" in log.problem


def test_sessions_that_have_no_user_names_judge_nobody():
    """RoleSessionName follows the claim; when it is an employee number, everybody would look unused."""
    log = read(result(line(name="0815")))
    assert not log.known
    assert use.unused(by_account(), known(entries=log)).query("what == 'path'").empty


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "(none)"), ("a,b\n1,2\n", "columns a, b"), (result(line() + ',"more"'), "Line 2"), (result('"12345"' + line()[14:]), "12345"),
        (result(line(last="yesterday")), "Line 2"), (result(line(), line(arn(A, "Ops"), window=("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"))), "several windows"),
    ],
    ids=["nothing", "other columns", "a cell more", "a lost zero", "no time", "two windows"],
)  # fmt: skip
def test_a_result_that_cannot_be_read_names_the_line(text, words):
    with pytest.raises(ParameterError) as refused:
        read(text)
    assert words in str(refused.value)


# A log of many accounts: each is known since its own time, or not at all


def of_accounts(*windows, pairs=((arn(A, "Admin"), ANN),)):
    told = [{"account_id": account_id, "begin": begin, "events": 1, "problem": "" if begin else "denied"} for account_id, begin in windows]
    return replace(entered(*pairs), windows=frame(WINDOWS, told))


def test_nobody_is_unused_in_an_account_that_was_not_read():
    """Unknown is never absent: B refuses, and nothing is said of it."""
    logs = {"sign_ins": signed(ANN, BOB, CARL), "entries": of_accounts((A, MONTH[0]), (B, None))}
    found = of(use.unused(by_account(**logs), known(**logs)), what="path")
    assert [(row["user_name"], row["account_id"]) for row in found] == [(BOB, A), (CARL, A)]
    assert use.last_use(arn(B, "Admin"), BOB, known(**logs)) == "person signed in 2026-11-23; role used by nobody in 400 days"


def test_a_shorter_window_is_said_with_the_path():
    week = NOW - timedelta(days=7)
    logs = {"sign_ins": signed(ANN, BOB, CARL), "entries": of_accounts((A, week), (B, MONTH[0]))}
    by = {row["account_id"]: row["by"] for row in of(use.unused(by_account(**logs), known(**logs)), what="path")}
    assert by[A] == "CloudTrail, 2026-11-17 06:00 to 2026-11-24 06:00 UTC"
    assert by[B] == "CloudTrail, 2026-10-25 06:00 to 2026-11-24 06:00 UTC"
    assert "not entered since 2026-11-17" in use.last_use(arn(A, "Ops"), CARL, known(**logs))


def test_how_many_accounts_were_read_is_said():
    logs = known(entries=of_accounts((A, NOW - timedelta(days=7)), (B, MONTH[0]), (CLOSED, None)))
    told = {row["fact"]: row["value"] for row in rows(use.known(logs))}
    assert told["CloudTrail"] == "2026-10-25 06:00 to 2026-11-24 06:00 UTC; 1 rows; accounts read: 2 of 3, 1 of them for less than that"


def test_accounts_that_need_a_look_come_first():
    found = use.windows(known(entries=of_accounts((A, MONTH[0]), (B, None))))
    assert found["account_id"].tolist() == [B, A]
    assert use.windows(known()).empty


def test_who_entered_an_account_that_was_not_read_to_the_end_did_enter():
    logs = known(entries=of_accounts((A, None), (B, MONTH[0])))
    assert logs.entered(arn(A, "Admin"), ANN) == NOW


# What is asked of CloudTrail


@pytest.mark.parametrize(
    ("urls", "partition", "regions"),
    [
        ([], "aws", ("us-east-1",)),
        (["https://signin.aws.amazon.com/saml"], "aws", ("us-east-1",)),
        (
            ["https://eu-west-1.signin.aws.amazon.com/saml", "https://signin.aws.amazon.com/saml/acs/SAMLSPX"],
            "aws",
            ("us-east-1", "eu-west-1"),
        ),
        (["https://example.com/saml", "https://eu-west-1.signin.aws.amazon.com.example.com/saml"], "aws", ("us-east-1",)),
        (["https://us-gov-east-1.signin.amazonaws-us-gov.com/saml"], "aws-us-gov", ("us-gov-west-1", "us-gov-east-1")),
        (["https://signin.amazonaws.cn/saml"], "aws-cn", ("cn-north-1",)),
    ],
    ids=["none", "global", "regional", "others", "government", "china"],
)
def test_regions_are_those_of_the_reply_urls(urls, partition, regions):
    """aws.amazon.com/blogs/security/how-to-use-regional-saml-endpoints-for-failover: the endpoint without a Region is us-east-1's."""
    assert trail.regions_of(urls, partition) == regions


def test_regions_of_the_parameters_win():
    asked = trail.asked(trail.Terms(regions=("eu-west-1",), days=7), ACCOUNTS, ("us-east-1",), NOW)
    assert (asked.regions, asked.begin, asked.end) == (("eu-west-1",), NOW - timedelta(days=7), NOW)
    assert (asked.name, list(asked.accounts)) == ("CloudTrail of eu-west-1", [A, B, CLOSED])


# The explorer


def test_what_can_be_picked():
    table = by_account()
    assert access.named(table, "group") == ["Admins", "Leads", "Ops", "directly"]
    assert ANN in access.named(table, "person")
    assert len(access.about(table, "group", "Leads")) == 1
    assert set(access.about(table, "account", f"{A} name-345")["account_id"]) == {A}
    assert len(access.about(table, "person", "")) == len(table)
    assert access.about(table, "person", "nobody").empty
    assert A in set(access.about(table, "account", "NAME-34")["account_id"])


def test_the_explorer_shows_what_is_picked():
    """Real widgets, without a browser: they are plain objects in the kernel."""
    box = Explorer(by_account()).box()
    (kind, name), found = box.children[0].children, box.children[1]
    kind.value = "person"
    assert ANN in name.options
    name.value = BOB
    assert "bob@" in found.value
    assert "ann@" not in found.value
    kind.value = "account"
    assert (name.value, "ann@" in found.value) == ("", True)


def test_a_name_is_never_markup_in_the_explorer():
    paths = frame(
        PATHS, [{"user_name": "<img src=x onerror=alert(1)>", "app_role_id": guid("x"), "verdict": "effective", "role_arn": value(A, "x")}]
    )
    found = Explorer(access.by_account(paths, known())).box().children[1]
    assert "<img" not in found.value


def test_a_notebook_with_the_explorer_says_elsewhere_what_it_was(monkeypatch):
    """A saved widget shows nothing without its kernel; its text is what other readers of notebooks show."""
    shown = []
    monkeypatch.setenv("AWSFED_HEADLESS", "0")
    monkeypatch.setattr("IPython.display.display", lambda bundle, *, raw: shown.append((bundle, raw)))
    Explorer(by_account())._ipython_display_()
    ((bundle, raw),) = shown
    assert (bundle["text/plain"], raw) == (STATIC, True)
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_in_a_record_the_explorer_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setenv("AWSFED_HEADLESS", "1")
    Explorer(by_account())._ipython_display_()
    assert "In a record nothing can be picked" in capsys.readouterr().out
