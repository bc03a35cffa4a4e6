"""A plan at a live notebook: as everywhere, and below it a filter and a field in which its approval is typed.

The id of the plan stays the only approval. What is typed makes the notebook's `approved` that id, as if it had been written
into the parameters cell: for the cells below, or, where the run is finished, for the next run of all cells, once. Nothing
is sent from here: a callback that fails would fail in silence (github.com/jupyter-widgets/ipywidgets issue 2949).
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from awsfed_lib.core.plan import Plan
from awsfed_lib.core.view.display import escaped
from awsfed_lib.core.view.markup import output
from awsfed_lib.core.view.review_view import Filter, actions, asked, kinds, phrase, question
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.record import Record

REVIEW = "A plan is filtered and approved here in JupyterLab, as long as its kernel runs."
WRONG = "Not approved: what is typed is not what is asked for above."
RIGHT = "Not approved yet: now it is what is asked for. Press Approve, or Enter in the field."
NOW = "Approved. Run the next cell: it sends exactly this plan."
AGAIN = "Approved, for one run: run all cells again (Run ▸ Run All Cells). It sends the plan if it is still exactly this one."


def shell() -> Any:
    """Return the IPython shell of this process, None when there is none."""
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def taken() -> str:
    """Take the approval that waits for the next run of this kernel, "" for none; it is there once."""
    place = shell()
    found = place.display_formatter.ipython_display_formatter.type_printers.get(Plan) if place else None
    if not isinstance(found, Approver):
        return ""
    waiting, found.waiting = found.waiting, ""
    return waiting


@dataclass
class Approver:
    """Shows the plans of one run at a live notebook, and takes what is typed to approve them.

    `names`: the names of the notebook. `waiting`: the id for the next run of this kernel.
    """

    names: MutableMapping[str, object]
    record: Record
    journal: Journal
    waiting: str = ""

    def register(self, of: Any) -> None:
        """Show every plan of this kernel so, from now on."""
        of.display_formatter.ipython_display_formatter.for_type(Plan, self)

    def __call__(self, plan: Plan) -> None:
        """Show the plan, and below it, where it can be approved and is not yet, the means to do so."""
        publish = shell().display_pub.publish
        publish(plan._repr_mimebundle_())
        if plan and not plan.refusals and "approved" in self.names and self.names["approved"] != plan.id:
            publish(Review(plan, self).widget._repr_mimebundle_() | {"text/plain": REVIEW})

    def approve(self, plan: Plan) -> str:
        """Take the plan as approved; says what to do next."""
        if self.record.run().get("verdict"):
            self.waiting = plan.id
            return AGAIN
        self.journal.note("approved", id=plan.id, how="typed at the notebook")
        self.names["approved"] = plan.id
        who = self.record.run().get("who", {})
        self.record.update(who={**who, "approved": {**who.get("ran", {}), "how": "typed at the notebook"}})
        return NOW


class Review:
    """The widget of one plan: filters, the changes that they leave, and the field for the approval."""

    def __init__(self, plan: Plan, approver: Approver) -> None:
        import ipywidgets as widgets

        wide = {"description_width": "initial"}
        self.plan, self.approver, self.refused = plan, approver, False
        self.action = widgets.Dropdown(options=actions(plan), description="action", style=wide)
        self.kind = widgets.Dropdown(options=kinds(plan), description="kind", style=wide)
        self.text = widgets.Text(description="holds", placeholder="a name, a role, an account", style=wide)
        self.shown = widgets.HTML()
        self.typed = widgets.Text(description=asked(plan), style=wide)
        self.button = widgets.Button(description="Approve", tooltip=plan.id)
        self.said = widgets.HTML()
        for chooser in (self.action, self.kind, self.text):
            chooser.observe(self._filter, "value")
        self.typed.observe(self._type, "value")
        self.typed.on_msg(self._enter)
        self.button.on_click(self._approve)
        self._filter()
        ask = widgets.HTML(output(f"<p>{escaped(question(plan))}</p>"))
        filters, answer = ([self.action, self.kind, self.text], [self.typed, self.button])
        self.widget: Any = widgets.VBox([_row(filters), self.shown, ask, _row(answer), self.said])

    def _filter(self, _: object = None) -> None:
        self.shown.value = Filter(self.action.value, self.kind.value, self.text.value).html(self.plan)

    def _type(self, _: object) -> None:
        """Say when it is right after a refusal: a press can reach the kernel before what was typed before it does."""
        self._say(RIGHT if self.refused and self._right() else "")

    def _right(self) -> bool:
        return " ".join(self.typed.value.split()) == phrase(self.plan)

    def _say(self, said: str) -> None:
        self.said.value = output(f'<p role="alert"><strong>{escaped(said)}</strong></p>') if said else ""

    def _enter(self, _: object, content: dict[str, Any], __: object) -> None:
        """Take the Enter key in the field for the button."""
        if content.get("event") == "submit":
            self._approve()

    def _approve(self, _: object = None) -> None:
        """Approve if the phrase is right, once, and say whatever came of it: nobody sees an exception of a callback.

        The button stays enabled, and has the focus: a disabled one is passed over by the Tab key, and loses it.
        """
        if self.typed.disabled:
            return
        try:
            self._say(self._approved())
        except Exception as error:  # noqa: BLE001  see above
            self._say(f"Not approved: {str(error).splitlines()[0]}")

    def _approved(self) -> str:
        self.refused = not self._right()
        if self.refused:
            return WRONG
        said = self.approver.approve(self.plan)
        self.typed.disabled, self.button.description, self.button.icon = True, "Approved", "check"
        self.button.focus()
        return said


def _row(of: list[Any]) -> Any:
    """Put widgets side by side, and below each other where it is narrow."""
    import ipywidgets as widgets

    return widgets.HBox(of, layout={"flex_flow": "row wrap"})
