"""Look around in the access: pick an account, a person or a group, and see its rows. Live in JupyterLab, and never in a record.

Where nobody watches, one sentence stands in its place: a saved widget shows nothing, and a record must not look as if it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from awsfed_lib.core.review.access import KINDS, about, named
from awsfed_lib.core.view.markup import View, card
from awsfed_lib.core.view.table_view import table_html
from awsfed_lib.edges.records.progress import headless

STATIC = "Pick an account, a person or a group here, in JupyterLab. In a record nothing can be picked: tables/ beside it holds every row."


@dataclass(frozen=True, eq=False)
class Explorer:
    """ACCESS_BY_ACCOUNT, to be looked around in."""

    access: pd.DataFrame

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if headless():
            display(self._static())  # type: ignore[no-untyped-call]
        else:
            display(self.box()._repr_mimebundle_() | {"text/plain": STATIC}, raw=True)  # type: ignore[no-untyped-call]  # as above

    def _static(self) -> View:
        return View(STATIC, card("Explorer", f"<p>{STATIC}</p>"))

    def box(self) -> Any:
        """Make the widgets: what is looked for, its name with completion, and the table that fits."""
        import ipywidgets as widgets

        wide = {"description_width": "initial"}
        kind = widgets.Dropdown(options=KINDS, description="Look for", style=wide)
        name = widgets.Combobox(placeholder="type or pick", description="Name", style=wide, continuous_update=False)
        found = widgets.HTML()

        def offer(_: object = None) -> None:
            name.options = named(self.access, kind.value)
            name.value = ""

        def show(_: object = None) -> None:
            rows = about(self.access, kind.value, name.value)
            found.value = table_html(rows, _caption(kind.value, name.value, len(rows)))

        kind.observe(offer, "value")
        name.observe(show, "value")
        offer()
        show()
        return widgets.VBox([widgets.HBox([kind, name], layout={"flex_flow": "row wrap"}), found])

    def __str__(self) -> str:
        return STATIC

    __repr__ = __str__


def _caption(kind: str, name: str, number: int) -> str:
    if not name:
        return "everything: pick a name to narrow it"
    return f"access of every {kind} like {name}" if number else f"no {kind} matches {name}"


def explore(access: pd.DataFrame) -> Explorer:
    """Look around in ACCESS_BY_ACCOUNT."""
    return Explorer(access)
