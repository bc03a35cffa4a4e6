"""nbconvert's exporter, for a template that needs no second reading of the page that it made."""

from __future__ import annotations

from typing import Any

from nbconvert.exporters.html import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter


class PageExporter(HTMLExporter):
    """Draws a notebook by a template of ours, and takes the page as it is.

    HTMLExporter parses it once more, to put what nbconvert's own templates lack into it: texts for pictures, and marks
    for JupyterLab's style sheet. Ours has the first, and needs none of the second.
    """

    def from_notebook_node(self, nb: Any, resources: dict[str, Any] | None = None, **more: Any) -> tuple[Any, dict[str, Any]]:
        """Return the page, and nbconvert's resources."""
        return TemplateExporter.from_notebook_node(self, nb, self._init_resources(resources), **more)  # type: ignore[no-untyped-call]
