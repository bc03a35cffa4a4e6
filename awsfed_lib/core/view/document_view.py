"""A JSON document to copy, with what has to be known of it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from awsfed_lib.core.view.escape import escaped, json_text, visible
from awsfed_lib.core.view.markup import View, block, card


@dataclass(frozen=True)
class Document:
    """A title, sentences, and a JSON value that is shown whole, indented."""

    title: str
    sentences: tuple[str, ...]
    content: dict[str, Any]

    @property
    def view(self) -> View:
        """The document as text and HTML."""
        body = json_text(self.content)  # hidden characters stand as JSON escapes
        said = [f"  {visible(sentence)}" for sentence in self.sentences]
        inner = "".join(f"<p>{escaped(sentence)}</p>" for sentence in self.sentences) + block(self.title, html.escape(body))
        return View("\n".join([visible(self.title), *said, body]), card(self.title, inner, "warn"))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self.view._repr_mimebundle_()

    def __str__(self) -> str:
        return self.view.text
