"""Who may import whom: doors → edges → core, and nobody but doors and tests the sandbox. Read from the code, not run."""

import ast
import re
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "awsfed_lib"
CORE = {
    # plans
    "apply", "change", "errors", "facts", "guard", "label", "outcome", "plan", "tables",
    # roles of AWS, appRoles, groups, assignments
    "approles", "assigned", "assignments", "body", "groups", "mapping", "pair", "sign_in_endpoints", "stages", "statements", "trust",
    # audit
    "audit", "checks_people", "checks_roles", "evidence", "paths", "preflight",
    # certificates, claims, the application itself
    "application", "campaign", "certificate_plan", "certificates", "claim_definition", "claim_plan", "claim_rules", "claims",
    "distribution", "finding", "gallery", "metadata", "rollout", "rollover", "saml_attributes", "shapes", "x509",
    # what every account should have
    "families", "federation", "federation_exports", "federation_plan", "role_changes", "slugs", "trust_merge", "writer_role",
    # sign-in
    "response_checks", "saml_response", "signin", "troubles",
    # parameters
    "lint", "parameter_names", "parameter_rules", "parameters", "secrecy", "sheet", "verdict",
    # views
    "display", "escape", "markup", "notice_view", "outcome_view", "plan_view", "record_page", "safe_csv", "shown", "style", "table_view",
}  # fmt: skip
EDGES = {
    # Entra ID
    "auth", "batch", "clouds", "connection", "credentials", "gate", "graph", "ground", "live_tables", "objects", "pace", "pages", "person",
    "refusals", "saml_reads", "sources", "tokens", "transport", "writes",
    # AWS
    "accounts_file", "acting", "allowed", "answers", "aws", "hub", "inventory", "organization", "permissions", "problems", "providers",
    "reach", "reading", "rounds", "selection", "session",
    # records
    "durable", "export", "frames", "journal", "layout", "lock", "namespace", "opening", "output_page", "parameter_file", "progress",
    "provenance", "record", "results", "run", "runbooks", "sanitizer", "where",
}  # fmt: skip
DOORS = {"__init__", "__main__", "demo", "engine", "judging", "keeper", "kernel", "lean", "runner"}
CORE_MAY_IMPORT = {
    "pandas",
    "pydantic",
    "pydantic_core",
    "cryptography",
    "defusedxml",
    "signxml",
    "awsfed_lib",
}  # XML and X.509: these only compute
CORE_MUST_NOT = {"os", "time", "pathlib", "socket", "subprocess", "shutil", "tempfile", "urllib.request", "http", "random"}


def modules() -> dict[str, ast.Module]:
    return {path.stem: ast.parse(path.read_text()) for path in sorted(PACKAGE.glob("*.py"))}


def imported(tree: ast.Module) -> set[str]:
    """Full dotted names, wherever the import stands."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(tree: ast.Module) -> set[str]:
    known = {path.stem for path in PACKAGE.glob("*.py")} | {"sandbox"}
    return {name.split(".")[1] for name in imported(tree) if name.startswith("awsfed_lib.")} & known


def test_every_module_has_a_layer():
    assert set(modules()) == CORE | EDGES | DOORS


@pytest.mark.parametrize("name", sorted(CORE))
def test_core_imports_only_core(name):
    assert ours(modules()[name]) <= CORE


@pytest.mark.parametrize("name", sorted(CORE))
def test_core_has_no_input_no_output_and_no_clock(name):
    full = imported(modules()[name])
    assert {one.split(".")[0] for one in full} <= CORE_MAY_IMPORT | set(sys.stdlib_module_names)
    assert not [one for one in full if any(f"{one}.".startswith(f"{no}.") for no in CORE_MUST_NOT)]
    assert not re.findall(r"datetime\.now|utcnow|date\.today|\bopen\(|\bprint\(", (PACKAGE / f"{name}.py").read_text())


@pytest.mark.parametrize("name", sorted(EDGES))
def test_edges_import_edges_and_core(name):
    assert ours(modules()[name]) <= CORE | EDGES


def test_only_doors_know_the_sandbox():
    assert not [name for name, tree in modules().items() if name not in DOORS and "sandbox" in ours(tree)]


def test_sandbox_imports_nothing_of_ours():
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        foreign = {
            n for n in imported(ast.parse(path.read_text())) if n.startswith("awsfed_lib.") and not n.startswith("awsfed_lib.sandbox")
        }
        assert not foreign, f"{path.name} imports {foreign}"


def test_no_import_cycle():
    graph = {name: ours(tree) - {name} for name, tree in modules().items()}
    while graph:
        leaves = {name for name, uses in graph.items() if not uses & set(graph)}
        assert leaves, f"cycle among {sorted(graph)}"
        graph = {name: uses for name, uses in graph.items() if name not in leaves}
