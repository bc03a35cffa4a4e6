"""How pandas frames look in a notebook: `fed.begin` calls `register` once, and a bare `roles` at the end of a cell reads well.

Pandas' own table drops rows in the middle ("…"), cuts long cells and wraps account ids; in a record that is evidence
gone missing. Registered per kernel and on request, never on import: `import awsfed_lib` changes nothing of the reader's.
"""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd

from awsfed_lib.core.view.table_view import FILE, table_html, table_text

SHAPES = (pd.DataFrame, pd.Series)


def register(shell: Any = None) -> None:
    """Show frames and series of this kernel as awsfed tables; outside IPython there is nothing to do."""
    shell = shell or getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for shape in SHAPES:
        formatters["text/html"].for_type(shape, table_html)
        formatters["text/plain"].for_type(shape, _printed)


def _printed(table: pd.DataFrame | pd.Series[Any], printer: Any, _: object) -> None:
    printer.text(table_text(table))


def kept(table: pd.DataFrame, file: str) -> pd.DataFrame:
    """Tell the table where the record keeps it whole (`tables/roles.csv`); what is filtered from it remembers that too."""
    table.attrs[FILE] = file
    return table
