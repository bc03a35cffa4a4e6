"""A SAML response from a person: pasted or uploaded in JupyterLab, or a file of a folder that only its owner can read.

It signs its user in to AWS for some minutes, so it is no parameter (papermill writes those into the record), is never
shown, and is taken out of the widget as soon as it is used: JupyterLab can be set to save what widgets hold.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from awsfed_lib.core.errors import DocumentError, ParameterError
from awsfed_lib.core.saml.pasted_response import normalised
from awsfed_lib.core.view.markup import View
from awsfed_lib.core.view.notice_view import notice
from awsfed_lib.edges.records import durable, held, where
from awsfed_lib.edges.records.progress import headless

FOLDER = ".responses"
LARGEST = 20_000_000  # bytes: a HAR file holds a whole sign-in; AWS takes 100,000 characters
HOW = f"Paste SAMLResponse, or name a file below runs/{FOLDER}/ by the parameter response_file."
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Given:
    """A SAML response, or none. Nothing shows its text, and it cannot be pickled."""

    def __init__(self, text: str, entry: Any = None) -> None:
        self._text, self._entry = text, entry

    def text(self) -> str:
        """Return the response as AWS takes it, or as it was given where there is none in it; "" when nothing was given.

        What a person entered since goes out of the widget.
        """
        given = (_taken(self._entry) if self._entry is not None else "") or self._text
        try:
            self._text = normalised(given) if given else ""
        except DocumentError:
            self._text = given
        held.hold(self._text)
        return self._text

    def forget(self) -> None:
        """Let go of it."""
        self._text = ""

    def _repr_mimebundle_(self, **more: Any) -> Any:
        return self._entry._repr_mimebundle_(**more) if self._entry is not None else self._view._repr_mimebundle_()

    @property
    def _view(self) -> View:
        return notice("A SAML response was read; it is not shown.") if self._text else notice(f"There is no SAML response. {HOW}")

    def __repr__(self) -> str:
        return "a SAML response, not shown" if self._text else "no SAML response"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A SAML response is not pickled.")


def given(name: str) -> Given:
    """Take the response from the file `name` below ROOT/runs/.responses; "" asks a person who is at the notebook.

    Raises ParameterError when the file is not there, or when others can read it.
    """
    folder = durable.folder(where.runs() / FOLDER)
    if name:
        return Given(_read(folder, where.inside(folder, name)))
    return Given("", None if headless() else _entry())


def _read(folder: Path, path: Path) -> str:
    try:
        for place in (folder, path):
            _refuse_others(place)
        with path.open("rb") as file:
            return _text(file.read(LARGEST))
    except OSError as error:
        remedy = f"Put the value of SAMLResponse into a file there, with umask 077; it is below runs/{FOLDER}/."
        raise ParameterError(f"The SAML response cannot be read: {error.strerror}.", where=str(path), remedy=remedy) from None


def _text(content: bytes) -> str:
    """Decode a file; Windows writes UTF-16 with a byte order mark."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return content.decode(encoding, "replace").strip()


def _refuse_others(path: Path) -> None:
    if os.name != "nt" and path.stat().st_mode & _OTHERS:
        mode = 700 if path.is_dir() else 600
        raise ParameterError("Others can read the SAML response.", where=str(path), remedy=f"chmod {mode} {path}")


def _entry() -> Any:
    from ipywidgets import FileUpload, Layout, Textarea, VBox

    wide = Layout(width="100%", height="8em")
    area = Textarea(placeholder="SAMLResponse, as the browser posts it to AWS", continuous_update=False, layout=wide)
    return VBox([area, FileUpload(description="or a file", multiple=False)])


def _taken(entry: Any) -> str:
    """Take what was entered out of both widgets; a file wins over text."""
    area, upload = entry.children
    files = [_text(bytes(one["content"])[:LARGEST]) for one in upload.value]
    text = files[0] if files else area.value
    area.value, upload.value = "", ()
    return str(text).strip()
