"""A runbook executed in this process, cell by cell, with its plan approved when it is shown: what a person does, without a kernel."""

import json
from pathlib import Path

from awsfed_lib.edges.records import parameter_file, runbooks

ROOT = Path(__file__).parents[1]


def execute(number, file, **given):
    """Execute the cells of a runbook with the parameters of `file` and `given`; approve the plan as soon as it is there.

    Gives the namespace at the end: tables, plan, outcome, run.
    """
    book = runbooks.find(number)
    cells = [cell for cell in json.loads(book.path.read_text())["cells"] if cell["cell_type"] == "code"]
    approve = given.pop("approve", True)
    names = {"__name__": "__main__"}
    read = parameter_file.load(file).values
    for cell in cells:
        if cell["id"] == "outcome" and approve:
            plan = names["plan"] if "plan" in names else names["stage"].plan
            names["approved"] = plan.id if plan else ""
        exec(compile("".join(cell["source"]), f"{book.id} {cell['id']}", "exec"), names)
        if "parameters" in cell["metadata"].get("tags", []):
            names |= {name: value for name, value in {**read, **given}.items() if name in book.names}
    return names
