"""One table says which permissions a call to Graph takes: what runbooks declare is what they call, and the docs say the same."""

import importlib.util
from pathlib import Path

import executed
import pytest
from target import served

from awsfed_lib.core.review.graph_calls import named
from awsfed_lib.edges.entra import batch, permissions
from awsfed_lib.edges.entra.transport import Transport
from awsfed_lib.edges.records import runbooks

ROOT = Path(__file__).parents[1]
BOOKS = runbooks.catalogue(ROOT / "notebooks")


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("permissions_page", ROOT / "tools/permissions_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_made_from_the_table(page):
    assert (ROOT / "docs/permissions.md").read_text() == page.page()


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.id)
def test_row_needs_is_made_from_the_table(page, book):
    assert page.needs(book)[1:] in book.path.read_text()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with served(root) as sandbox:
        policy = {"id": "11111111-2222-4333-8444-555555555555", "displayName": "Of another application", "definition": ["{}"]}
        del sandbox.tenant.tables["policies"][sandbox.tenant.world["main"]]  # without one, what the portal says is read too
        sandbox.tenant.tables["claimsMappingPolicies"][policy["id"]] = policy | {"isOrganizationDefault": False}
        yield root, sandbox


@pytest.fixture
def asked(monkeypatch):
    """Calls to Graph, by id of the table, or as they are where it has none."""
    found = set()

    def note(calls):
        for call in calls:
            if not call.path.startswith("/$batch"):
                found.update(named(permissions.known(), call.method, call.path) or {f"{call.method} {call.path}"})

    attempt, exchange = Transport.attempt, batch.exchange
    monkeypatch.setattr(Transport, "attempt", lambda self, call: note([call]) or attempt(self, call))
    monkeypatch.setattr(batch, "exchange", lambda transport, calls: note(calls) or exchange(transport, calls))
    return found


def group_and_user(tenant):
    held = {one["principalId"] for one in tenant.tables["assignments"].values() if one["resourceId"] == tenant.world["main"]}
    group = next(group for group in sorted(held & tenant.tables["groups"].keys()) if tenant.tables["members"].get(group))
    return group, next(member for member in tenant.tables["members"][group] if member in tenant.tables["users"])


def given(book, tenant):
    """Give parameters under which every read is made, one set for each way of running it."""
    if book.id == "01-application":
        return [
            {"application_id": "", "application_name": "A name that nobody has"},
            {"test_user": tenant.tables["users"][group_and_user(tenant)[1]]["userPrincipalName"]},
        ]
    if book.id == "16-revoke":
        group, user = group_and_user(tenant)
        return [{"user": user, "max_removed": 50}, {"group": group, "max_removed": 50}]
    return [{"certificate": "CN=AWS 2027"}] if book.id == "08-certificates" else [{}]


# 14 and 15 begin from the record of another run, 11 and 12 are shown where they are run whole; 03 and 13 ask Graph nothing.
PLANNED = [book for book in BOOKS if book.number not in ("03", "11", "12", "13", "14", "15", "17")]


@pytest.mark.parametrize("book", PLANNED, ids=lambda book: book.id)
def test_what_a_runbook_reads_is_what_it_declares(scene, asked, book):
    root, sandbox = scene
    for parameters in given(book, sandbox.tenant):
        executed.execute(book.number, root / "parameters/sandbox.yml", approve=False, **parameters)
    declared = {call.id for call in (*book.graph.reads, *book.graph.tries)}
    assert asked == declared - {"member.hidden"}  # the same request as member.read
