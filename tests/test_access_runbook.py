"""The access review through real kernels: who reaches what, the sheet marked by a reviewer, and what was marked is gone."""

import json
from dataclasses import replace

import openpyxl
import pytest
import yaml
from target import Target, served

from awsfed_lib.core.change import Guards
from awsfed_lib.edges import review
from awsfed_lib.edges.entra import auth
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.sandbox.serve import Size

pytestmark = pytest.mark.kernel


class Scene(Target):
    """A root with both runbooks, a small sandbox, and runs in it."""

    def planned(self):
        """The id of the plan, made in this process: that of the kernel is the same."""
        file = yaml.safe_load((self.root / "parameters/sandbox.yml").read_text())
        who = auth.SignIn(file["cloud"], file["tenant_id"], file["client_id"], file["sign_in"])
        application = file["application_id"]
        held = review.read(Graph.reading(auth.sign_in(who)), application, review.marks("review.xlsx", application))
        return replace(review.plan(held, guards=Guards(50)), runbook="17-review").id


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with served(root, Size(accounts=6), books="1[07]-*") as sandbox:
        yield Scene(root, sandbox)


def marked(scene, sheet, who):
    """What the reviewer does in a spreadsheet."""
    book = openpyxl.load_workbook(sheet)
    names = [cell.value for cell in book["review"][1]]
    for row in book["review"].iter_rows(min_row=2):
        line = dict(zip(names, row, strict=True))
        line["decision"].value = "remove" if line["user_name"].value == who else "keep"
        line["reviewer"].value = "Rita Reviewer"
    book.save(scene.root / "parameters/review.xlsx")


def test_reviewed_marked_planned_and_gone(scene):
    seen = scene.run("10", entered_from="lookup")
    assert (seen.verdict, seen.code) == ("done", 0)
    access, folder = scene.table(seen, "access_by_account"), seen.record.folder
    page = (folder / "record.html").read_text()
    assert "In a record nothing can be picked" in page
    assert "<script" not in page
    assert "widget" not in json.dumps(json.loads((folder / "record.ipynb").read_bytes())["metadata"])
    assert "'AssumeRoleWithSAML'" in (folder / "exports/who_entered_which_role.sql").read_text()
    assert {row["what"] for row in scene.table(seen, "unused")} >= {"person", "path"}
    assert any(row["entered"] for row in access)
    known = {row["account_id"] for row in scene.table(seen, "entered_windows") if row["begin"]}
    assert {row["account_id"] for row in scene.table(seen, "unused") if row["what"] == "path"} <= known

    who = next(row["user_name"] for row in access if row["verdict"] == "effective" and row["through"] not in ("", "directly"))
    marked(scene, folder / "exports/review.xlsx", who)
    applied = scene.run("17", review_file="review.xlsx", max_removed=50, approved=scene.planned())
    assert applied.verdict == "applied"
    states = {row["user_name"]: row["state"] for row in scene.table(applied, "decided") if row["decision"] == "remove"}
    assert set(states) == {who}
    user = next(key for key, one in scene.sandbox.tenant.tables["users"].items() if one["userPrincipalName"] == who)
    assert scene.sandbox.tenant.role_values(user, scene.sandbox.application_id) == []
