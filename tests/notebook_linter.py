"""Rules for runbooks, so that a notebook stays a thin, reviewable sheet: each rule is one function, each problem names its cell.

Every rule was found broken in notebooks that people operate with: kernels of one machine, outputs with keys in them, a
parameters cell without its tag (papermill then injects on top, and the defaults win), logic that no test reaches.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from awsfed_lib.core.settings import secrecy
from awsfed_lib.core.settings.parameters import NAMES, suggestion

LONGEST_CELL = 8
FACTS = ("Reads", "Changes", "Needs", "Takes", "If it fails")
LOGIC = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | ast.For | ast.While | ast.If | ast.IfExp | ast.Try | ast.With
    | ast.comprehension
)  # fmt: skip
FORBIDDEN = {"input", "getpass", "exec", "eval", "open", "print", "exit", "quit", "get_ipython", "__import__"}
_ID = re.compile(r"(?![0-9a-f]{8}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Problem(NamedTuple):
    """What is wrong: the rule that was broken, the cell ("" for the whole notebook), and what to do."""

    rule: str
    cell: str
    message: str


class Cell(NamedTuple):
    """A cell as the rules see it; `tree` is None when its source is not Python."""

    id: str
    kind: str
    source: str
    tags: tuple[str, ...]
    raw: Mapping[str, Any]

    @property
    def tree(self) -> ast.Module | None:
        """The parsed source."""
        try:
            return ast.parse(self.source)
        except (SyntaxError, ValueError):
            return None

    @property
    def is_parameters(self) -> bool:
        """Whether papermill injects after it."""
        return "parameters" in self.tags


class Sheet(NamedTuple):
    """A notebook as the rules see it; `name` is its file name without the ending, `text` the whole file."""

    name: str
    text: str
    raw: Mapping[str, Any]
    cells: tuple[Cell, ...]

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def steps(self) -> tuple[Cell, ...]:
        """The code cells but for the parameters."""
        return tuple(cell for cell in self.code if not cell.is_parameters)

    @property
    def awsfed(self) -> Mapping[str, Any]:
        """What the notebook says of itself."""
        said = self.raw.get("metadata", {}).get("awsfed")
        return said if isinstance(said, dict) else {}


def read(name: str, text: str) -> Sheet:
    """Read a notebook from the text of its file; raises ValueError or KeyError when it is none."""
    raw = json.loads(text)
    return Sheet(name, text, raw, tuple(_cell(cell) for cell in raw["cells"]))


def _cell(raw: Mapping[str, Any]) -> Cell:
    source = raw["source"]
    joined = source if isinstance(source, str) else "".join(source)
    return Cell(str(raw.get("id", "")), raw["cell_type"], joined, tuple(raw.get("metadata", {}).get("tags", ())), raw)


Rule = Callable[[Sheet], Iterator[Problem]]


def check(name: str, text: str) -> list[Problem]:
    """Run every rule over the notebook `name` (its file name without the ending), whose file holds `text`."""
    try:
        sheet = read(name, text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [Problem("readable", "", f"This is no notebook: {error}.")]
    return [problem for rule in RULES for problem in rule(sheet)]


def written_as_nbformat(sheet: Sheet) -> Iterator[Problem]:
    """Keep one way to write the file, so that a diff shows what changed."""
    wanted = json.dumps(sheet.raw, indent=1, sort_keys=True, ensure_ascii=False, separators=(",", ": ")) + "\n"
    if sheet.text != wanted:
        yield Problem("written as nbformat", "", "Save it with an indent of 1, sorted keys, and a line feed at the end.")
    if (sheet.raw.get("nbformat"), sheet.raw.get("nbformat_minor")) != (4, 5):
        yield Problem("written as nbformat", "", "It must be of nbformat 4.5, which has cell ids.")


def kernel_of_no_machine(sheet: Sheet) -> Iterator[Problem]:
    """Refuse the kernel of one machine: a name of somebody's own environment starts nowhere else, and a Python version churns."""
    metadata = sheet.raw.get("metadata", {})
    if metadata.get("kernelspec", {}).get("name") != "python3":
        yield Problem("kernel of no machine", "", "The kernelspec must be python3.")
    if "version" in metadata.get("language_info", {}):
        yield Problem("kernel of no machine", "", "Take language_info.version away.")


def nothing_executed(sheet: Sheet) -> Iterator[Problem]:
    """Refuse outputs: they are records, not source, and they may hold what nobody meant to commit."""
    for key in sorted({"widgets", "papermill", "signature"} & sheet.raw.get("metadata", {}).keys()):
        yield Problem("nothing executed", "", f"Take metadata.{key} away.")
    for cell in sheet.code:
        if cell.raw.get("outputs") or cell.raw.get("execution_count") is not None:
            yield Problem("nothing executed", cell.id, "Clear its output and its number.")
        for key in sorted({"papermill", "execution", "collapsed", "scrolled"} & cell.raw.get("metadata", {}).keys()):
            yield Problem("nothing executed", cell.id, f"Take its metadata.{key} away.")


def ids_for_people(sheet: Sheet) -> Iterator[Problem]:
    """Want ids of words: the record, the page and a review name a cell by its id."""
    seen: set[str] = set()
    for cell in sheet.cells:
        if not _ID.fullmatch(cell.id):
            yield Problem("ids for people", cell.id, "Give it an id of words, such as about-plan.")
        if cell.id in seen:
            yield Problem("ids for people", cell.id, "Another cell has this id.")
        seen.add(cell.id)


def says_what_it_is(sheet: Sheet) -> Iterator[Problem]:
    """Want a first cell that tells a person whether to run it."""
    first = sheet.cells[0] if sheet.cells else Cell("", "", "", (), {})
    heading, _, purpose = first.source.partition("\n")
    if first.kind != "markdown" or not re.fullmatch(r"# \S.*", heading):
        yield Problem("says what it is", first.id, "Begin with a cell of prose: # and the title.")
        return
    if heading[2:] != sheet.awsfed.get("title"):
        yield Problem("says what it is", first.id, "The title must be that of metadata.awsfed.")
    for fact in FACTS:
        if f"| {fact} |" not in purpose:
            yield Problem("says what it is", first.id, f"The table below the title lacks the row {fact}.")
    for cell in sheet.cells[1:]:
        if cell.kind == "markdown" and re.search(r"^# ", cell.source, re.MULTILINE):
            yield Problem("says what it is", cell.id, "There is one title; begin sections with ##.")


def in_the_catalogue(sheet: Sheet) -> Iterator[Problem]:
    """Want metadata.awsfed, which `awsfed list` reads."""
    if sheet.awsfed.get("runbook") != sheet.name:
        yield Problem("in the catalogue", "", "metadata.awsfed.runbook must be the name of the file.")
    if sheet.awsfed.get("changes") not in ("nothing", "entra", "aws", "entra and aws"):
        yield Problem("in the catalogue", "", "metadata.awsfed.changes must be nothing, entra, aws, or entra and aws.")
    for key in ("reads", "writes"):
        if not sheet.awsfed.get(key):
            yield Problem("in the catalogue", "", f"metadata.awsfed.{key} must say what it {key}.")
    if (sheet.awsfed.get("changes") == "nothing") != (sheet.awsfed.get("writes") == "nothing"):
        yield Problem("in the catalogue", "", "changes and writes contradict each other.")


def one_parameters_cell(sheet: Sheet) -> Iterator[Problem]:
    """Want the tag: without it papermill injects on top, and the defaults win without a word."""
    tagged = [cell for cell in sheet.cells if cell.is_parameters]
    if len(tagged) != 1:
        yield Problem("one parameters cell", "", f"{len(tagged)} cells have the tag parameters; one must.")
    elif sheet.code[:1] != tuple(tagged):
        yield Problem("one parameters cell", tagged[0].id, "It must be the first cell of code.")


def parameters_are_declared(sheet: Sheet) -> Iterator[Problem]:
    """Want a line a parameter: name, type, a literal, and its help as a comment."""
    for cell in (cell for cell in sheet.code if cell.is_parameters):
        for number, line in enumerate(cell.source.splitlines(), 1):
            for message in _declared_wrong(line):
                yield Problem("parameters are declared", cell.id, f"Line {number} {message}")


def _declared_wrong(line: str) -> Iterator[str]:
    try:
        node = ast.parse(line).body[0]
    except (SyntaxError, ValueError, IndexError):
        yield "is no declaration."
        return
    if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name) or node.value is None:
        yield "must be `name: type = literal  # help`."
        return
    name, code_ends = node.target.id, len(line.encode()[: node.end_col_offset].decode())
    if name not in NAMES:
        yield f"declares {name}, which is no parameter.{suggestion(name, NAMES)}"
    if not _is_literal(node.value):
        yield f"gives {name} a value that is no literal."
    if not re.fullmatch(r"\s+# \S.*", line[code_ends:]):
        yield f"gives {name} no help: end it with a comment."


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True


def prose_before_code(sheet: Sheet) -> Iterator[Problem]:
    """Want prose that says what the next cell reads, what it changes, and what to do if it fails."""
    for before, cell in zip((None, *sheet.cells), sheet.cells, strict=False):
        if cell.kind != "code":
            continue
        prose = before.source if before is not None and before.kind == "markdown" else ""
        if not re.match(r"#{1,3} \S", prose):
            yield Problem("prose before code", cell.id, "Put a cell of prose with a heading before it.")
        elif not cell.is_parameters and not (re.search(r"\b[Cc]hanges?\b|\b[Ss]ends?\b|\b[Ww]rites?\b", prose) and "fails" in prose):
            yield Problem("prose before code", cell.id, "The prose before it must say what it changes, and what to do if it fails.")


def short_cells_without_logic(sheet: Sheet) -> Iterator[Problem]:
    """Refuse logic: it belongs into the library, where tests reach it."""
    for cell in sheet.steps:
        lines = len(cell.source.splitlines())
        if lines > LONGEST_CELL:
            yield Problem("short cells without logic", cell.id, f"It has {lines} lines; {LONGEST_CELL} are possible.")
        tree = cell.tree
        if tree is None:
            yield Problem("short cells without logic", cell.id, "It is not Python: no magics, no shell.")
            continue
        for node in ast.walk(tree):
            if isinstance(node, LOGIC):
                yield Problem("short cells without logic", cell.id, f"It holds a {type(node).__name__}; put that into the library.")
            if isinstance(node, ast.Name) and node.id in FORBIDDEN:
                yield Problem("short cells without logic", cell.id, f"It uses {node.id}.")


def ends_with_what_it_shows(sheet: Sheet) -> Iterator[Problem]:
    """Want a bare name at the end of a cell; the first and the last step show by themselves."""
    for cell in sheet.steps[1:-1]:
        last = cell.tree.body[-1] if cell.tree and cell.tree.body else None
        value = last.value if isinstance(last, ast.Expr) else None
        shown = isinstance(value, ast.Name | ast.Subscript | ast.Attribute) or (
            isinstance(value, ast.Call) and ast.unparse(value.func) == "fed.show"
        )
        if not shown:
            yield Problem(
                "ends with what it shows", cell.id, "End it with the name of what there is to see, or with fed.show(table, caption)."
            )


def begins_and_finishes(sheet: Sheet) -> Iterator[Problem]:
    """Want both: without begin nothing is checked, without finish there is no verdict."""
    calls = [ast.unparse(node) for cell in sheet.steps if cell.tree for node in ast.walk(cell.tree) if isinstance(node, ast.Call)]
    first, last = (sheet.steps[0].source, sheet.steps[-1].source) if sheet.steps else ("", "")
    if f"run = fed.begin({json.dumps(sheet.name)}, globals())" not in first or sum(call.startswith("fed.begin(") for call in calls) != 1:
        yield Problem("begins and finishes", "", f"The first step must be: run = fed.begin({json.dumps(sheet.name)}, globals()).")
    if not last.startswith("run.finish(") or sum(call.startswith("run.finish(") for call in calls) != 1:
        yield Problem("begins and finishes", "", "The last cell must be run.finish(…), once.")


def sends_only_what_is_approved(sheet: Sheet) -> Iterator[Problem]:
    """Tie writing to approval: what changes something applies plans by the parameter approved; what changes nothing has neither."""
    applies = [cell.id for cell in sheet.steps if ".apply(" in cell.source]
    unapproved = [cell.id for cell in sheet.steps if ".apply(" in cell.source and "approved=approved" not in cell.source]
    declares = any(re.search(r'^approved: str = ""', cell.source, re.MULTILINE) for cell in sheet.code if cell.is_parameters)
    changing = sheet.awsfed.get("changes") != "nothing"
    if changing != bool(applies) or changing != declares:
        yield Problem(
            "sends only what is approved", "", 'What changes something applies a plan and declares approved: str = ""; else neither.'
        )
    for cell in unapproved:
        yield Problem("sends only what is approved", cell, "Pass approved=approved.")


def holds_no_secret(sheet: Sheet) -> Iterator[Problem]:
    """Refuse secrets; what has the form of a secret is not repeated here."""
    for cell in sheet.cells:
        kinds = {rule.kind for rule in secrecy.ANYWHERE if rule.form.search(cell.source)}
        for kind in sorted(kinds):
            yield Problem("holds no secret", cell.id, f"It holds what looks like {kind}. Take it out, and renew it.")


RULES: tuple[Rule, ...] = (
    written_as_nbformat,
    kernel_of_no_machine,
    nothing_executed,
    ids_for_people,
    says_what_it_is,
    in_the_catalogue,
    one_parameters_cell,
    parameters_are_declared,
    prose_before_code,
    short_cells_without_logic,
    ends_with_what_it_shows,
    begins_and_finishes,
    sends_only_what_is_approved,
    holds_no_secret,
)
