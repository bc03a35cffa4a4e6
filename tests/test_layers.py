"""Who may import whom: doors → edges → core, and nobody but doors and tests the sandbox. Read from the code, not run."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "awsfed_lib"
LAYERS = ("core", "edges", "doors")
CORE_MAY_IMPORT = {
    "pandas",
    "pydantic",
    "pydantic_core",
    "cryptography",
    "defusedxml",
    "openpyxl",
    "signxml",
    "awsfed_lib",
}  # XML, X.509 and workbooks in memory: these only compute
CORE_MUST_NOT = {"os", "time", "pathlib", "socket", "subprocess", "shutil", "tempfile", "urllib.request", "http", "random"}


@cache
def modules(layer: str = "") -> dict[str, ast.Module]:
    """All modules of a layer by their dotted name, but for the sandbox, which is a program of its own."""
    found = {path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in sorted(PACKAGE.rglob("*.py"))}
    return {
        name: ast.parse(path.read_text())
        for path, name in found.items()
        if not name.startswith("sandbox") and (not layer or name.startswith(f"{layer}."))
    }


@cache
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
    """Modules of the package that a tree imports, by their dotted name; the sandbox as one."""
    known = set(modules())
    found = set()
    for name in imported(tree):
        if name.startswith("awsfed_lib."):
            dotted = name.removeprefix("awsfed_lib.")
            found |= {"sandbox"} if dotted.startswith("sandbox") else {dotted, dotted.rpartition(".")[0]} & known
    return found


def test_every_module_has_a_layer():
    assert {name for name in modules() if name.split(".")[0] not in LAYERS} == {"__init__", "__main__"}


@pytest.mark.parametrize("name", sorted(modules("core")))
def test_core_imports_only_core(name):
    assert {one for one in ours(modules()[name]) if not one.startswith("core.")} == set()


@pytest.mark.parametrize("name", sorted(modules("core")))
def test_core_has_no_input_no_output_and_no_clock(name):
    full = imported(modules()[name])
    assert {one.split(".")[0] for one in full} <= CORE_MAY_IMPORT | set(sys.stdlib_module_names)
    assert not [one for one in full if any(f"{one}.".startswith(f"{no}.") for no in CORE_MUST_NOT)]
    text = (PACKAGE / f"{name.replace('.', '/')}.py").read_text()
    assert "uuid4" not in text, "the id of a plan may only depend on what was read"
    assert not re.findall(r"datetime\.now|utcnow|date\.today|\bopen\(|\bprint\(", text)


@pytest.mark.parametrize("name", sorted(modules("edges")))
def test_edges_import_edges_and_core(name):
    assert {one for one in ours(modules()[name]) if not one.startswith(("core.", "edges."))} == set()


def test_only_doors_know_the_sandbox():
    assert {name for name, tree in modules().items() if "sandbox" in ours(tree)} <= {"__main__"} | set(modules("doors"))


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
