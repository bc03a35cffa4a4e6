"""Plant bugs one at a time in a copy of the tree, and show that the tests named beside each go red.

    python tools/planted_bugs.py              all of them; exit 1 when one survives, or no longer fits the code
    python tools/planted_bugs.py msiam lock   only those with such a word in their name

A suite that stays green on broken code proves nothing. Each bug of planted_bugs.toml names a function and a replacement in its syntax
tree, wherever the function lies and however it is laid out, and is caught by the few tests that hold its law, so that all of them take
minutes. The unbroken copy must pass the same tests first.
"""

from __future__ import annotations

import ast
import os
import shutil
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, NoReturn

import hypothesis  # noqa: F401  imported once, for all children
import pandas as pd  # noqa: F401
import pydantic  # noqa: F401
import pytest
import requests  # noqa: F401

ROOT = Path(__file__).parents[1]
COPIED = ("awsfed_lib", "tests", "notebooks", "parameters", "tools", "docs", "pyproject.toml", "README.md")
BUGS = Path(__file__).with_suffix(".toml")


class Bug(NamedTuple):
    """A bug: its name, the function (class, name of a module) it is planted in, the code there, the code instead, the tests."""

    name: str
    function: str
    old: str
    new: str
    tests: tuple[str, ...]


def listed() -> list[Bug]:
    """Read the bugs of planted_bugs.toml."""
    found = tomllib.loads(BUGS.read_text(encoding="utf-8"))["bug"]
    return [Bug(one["name"], one["in"], one["old"], one["new"], tuple(one["tests"])) for one in found]


def named(tree: ast.AST, outer: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions and classes of a module by their qualified names, and its assignments by the name that they give."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield f"{outer}{node.name}", node
            yield from named(node, f"{outer}{node.name}.")
        elif isinstance(tree, ast.Module) and isinstance(node, ast.Assign | ast.AnnAssign):
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target), node


class Replacement(ast.NodeTransformer):
    """Replaces the code `old` by `new` wherever it stands in what is visited: one expression, or statements in a row."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = ast.parse(old).body, ast.parse(new).body
        self.wanted = [ast.dump(node) for node in self.old]
        self.times = 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Replace below `node`, then `node` itself."""
        super().generic_visit(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and all(isinstance(item, ast.stmt) for item in value):
                setattr(node, name, self._statements(value))
        first, second = self.old[0], self.new[0]
        if len(self.old) == 1 and isinstance(first, ast.Expr) and isinstance(second, ast.Expr) and ast.dump(node) == ast.dump(first.value):
            self.times += 1
            return second.value
        return node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        if isinstance(self.old[0], ast.Expr) and isinstance(self.new[0], ast.Expr):
            return body  # an expression, which is found as one
        size = len(self.old)
        places = [at for at in range(len(body) - size + 1) if [ast.dump(node) for node in body[at : at + size]] == self.wanted]
        self.times += len(places)
        return [*body[: places[0]], *self.new, *body[places[0] + size :]] if places else body


def planted(source: str, bug: Bug) -> tuple[int, str]:
    """Plant a bug into the text of a module: how often its code stands in a function of its name, and the text with the bug."""
    tree, times = ast.parse(source), 0
    for name, node in named(tree):
        if name == bug.function:
            replacement = Replacement(bug.old, bug.new)
            replacement.visit(node)
            times += replacement.times
    return times, ast.unparse(tree)


class Tree(NamedTuple):
    """A copy of what the tests need."""

    folder: Path

    def run(self, tests: tuple[str, ...]) -> tuple[int, str]:
        """Run these tests of the copy until the first that fails, in a child that has the big libraries already: exit code and output."""
        log = self.folder / "output.txt"
        child = os.fork()
        if not child:
            self._become_pytest(tests, log)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), log.read_text(encoding="utf-8", errors="replace")

    def _become_pytest(self, tests: tuple[str, ...], log: Path) -> NoReturn:
        """Never return; the copy comes before the installed package."""
        code = 99
        try:
            with log.open("w", encoding="utf-8") as out:
                os.dup2(out.fileno(), 1)
                os.dup2(out.fileno(), 2)
                os.chdir(self.folder)
                os.environ.update({"PYTHONPATH": str(self.folder), "AWSFED_BODIES": "120"})
                sys.path.insert(0, str(self.folder))
                sys.dont_write_bytecode = True  # two bugs within one second would share one compiled file
                code = int(
                    pytest.main(
                        [
                            "-x",
                            "-q",
                            "-p",
                            "no:cacheprovider",
                            "-p",
                            "no:xdist",
                            "-W",
                            "ignore::pytest.PytestAssertRewriteWarning",
                            f"--rootdir={self.folder}",
                            *tests,
                        ]
                    )
                )
        except BaseException as error:  # noqa: BLE001  a child must never return into the loop of its parent
            print(repr(error))
        finally:
            sys.stdout.flush()
            os._exit(code)

    def plant(self, bug: Bug) -> str:
        """Try one bug: caught, or what is wrong."""
        found = []
        for path in sorted((self.folder / "awsfed_lib").rglob("*.py")):
            whole = path.read_text(encoding="utf-8")
            if bug.function.rpartition(".")[2] in whole:
                times, broken = planted(whole, bug)
                found += [(path, whole, broken)] * times
        if len(found) != 1:
            return f"DOES NOT APPLY: its code stands {len(found)} times in {bug.function}"
        path, whole, broken = found[0]
        path.write_text(broken, encoding="utf-8")
        try:
            code, output = self.run(bug.tests)
        finally:
            path.write_text(whole, encoding="utf-8")
        if code == 1:
            return "caught by " + next(
                (line.split("::")[-1].split(" - ")[0] for line in output.splitlines() if line.startswith("FAILED")), "?"
            )
        return "SURVIVES" if code == 0 else f"DOES NOT RUN: {output.strip()[-300:]}"


def copied(folder: Path) -> Tree:
    """Copy what the tests need, without what was compiled."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    return Tree(folder)


def refuse_red(tree: Tree, bugs: list[Bug]) -> None:
    """Stop unless the unbroken copy passes all tests that are to catch something, and is what they import."""
    where = tree.folder / "tests/test_copy.py"
    where.write_text(
        f"import awsfed_lib\n\n\ndef test_copy():\n    assert awsfed_lib.__file__.startswith({str(tree.folder)!r})\n", encoding="utf-8"
    )
    code, output = tree.run(("tests/test_copy.py", *sorted({test for bug in bugs for test in bug.tests})))
    if code:
        sys.exit(f"The tests are red without any bug:\n{output[-3000:]}")


def main() -> None:
    """Print one line a bug and the count; exit 1 unless every one is caught."""
    words = [word.casefold() for word in sys.argv[1:]]
    bugs = [bug for bug in listed() if not words or any(word in bug.name.casefold() for word in words)]
    began, bad = time.monotonic(), 0
    with TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        refuse_red(tree, bugs)
        for number, bug in enumerate(bugs, 1):
            result = tree.plant(bug)
            bad += not result.startswith("caught")
            print(f"{number:3}  {bug.name:62}  {result}", flush=True)
    print(f"{len(bugs) - bad} of {len(bugs)} planted bugs were caught, in {time.monotonic() - began:.0f} s.")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
