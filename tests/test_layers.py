"""Who may import whom: doors → edges → core, and nobody but doors and tests the sandbox. Read from the code, not run."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "awsfed_lib"
CORE = {
    "errors", "tables", "change", "facts", "outcome", "apply", "plan", "display", "trust",
}  # fmt: skip
EDGES = set()
DOORS = {"__init__", "__main__"}
CORE_MAY_IMPORT = {"pandas", "pydantic", "awsfed_lib"}
CORE_MUST_NOT = {"os", "time", "pathlib", "socket", "subprocess", "shutil", "tempfile", "urllib", "http", "random"}


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
    tops = {full.split(".")[0] for full in imported(modules()[name])}
    assert tops <= CORE_MAY_IMPORT | set(sys.stdlib_module_names)
    assert not tops & CORE_MUST_NOT
    source = (PACKAGE / f"{name}.py").read_text()
    assert not [word for word in ("datetime.now", "utcnow", "date.today", "open(", "print(") if word in source]


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
