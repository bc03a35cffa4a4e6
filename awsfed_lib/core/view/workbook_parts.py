"""A workbook that somebody sends is a ZIP of XML: what is looked at before any library unpacks and reads it.

Nothing here executes, resolves or follows anything. Refused are: what is no ZIP (also encrypted workbooks and the old .xls), what
unpacks to more than a sheet of ours can be (en.wikipedia.org/wiki/Zip_bomb), document types and entities, which no workbook has
(ECMA-376 part 2, 8.1.4; en.wikipedia.org/wiki/Billion_laughs_attack), and parts that run or reach out: macros, links, controls.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn
from xml.parsers import expat

from awsfed_lib.core.errors import ParameterError

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
PACKED, UNPACKED, PARTS, ELEMENTS = 64 << 20, 512 << 20, 1_000, 10_000_000  # bytes, bytes, parts, XML elements a part
_ACTIVE = {
    "a macro": re.compile(r"vbaproject|xl/(?:macrosheets|dialogsheets|intlmacrosheets)/|(?:^|/)customui"),
    "a link to another workbook": re.compile(r"xl/externallinks/"),
    "a connection to data outside": re.compile(r"xl/(?:connections\.xml|querytables/|model/)"),
    "a control or an embedded object": re.compile(r"xl/(?:activex|ctrlprops|embeddings|webextensions)/"),
}
_MANIFEST = "[Content_Types].xml"
_WITHOUT = "Save it as “Excel Workbook (.xlsx)”, without macros, links and a password, or as “CSV UTF-8”."


def check(content: bytes) -> None:
    """Refuse a file that is no plain workbook. Raises ParameterError that says why."""
    if content.startswith(OLE):
        _refuse("is encrypted, or in the format of Excel 97 (.xls)")
    if len(content) > PACKED:
        _refuse(f"has {len(content):,} bytes, and at most {PACKED:,} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_list(archive.infolist())
            for part in archive.infolist():
                _check_part(archive, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        _refuse(f"is damaged: {error}")


def _refuse(why: str) -> NoReturn:
    raise ParameterError(f"The workbook {why}.", remedy=_WITHOUT) from None


def _check_list(parts: list[zipfile.ZipInfo]) -> None:
    """Judge by what the ZIP says of itself: no part gives more bytes than it declares, so the sum binds."""
    size = sum(part.file_size for part in parts)
    if size > UNPACKED or len(parts) > PARTS:
        _refuse(f"unpacks to {size:,} bytes in {len(parts):,} parts, and at most {UNPACKED:,} in {PARTS:,} are read")
    names = [part.filename.lower().lstrip("/") for part in parts]
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        _refuse(f"holds {twice[0][:80]} twice")
    if any(part.flag_bits & 1 for part in parts):
        _refuse("is encrypted")
    _refuse_active(names)


def _refuse_active(names: Iterable[str]) -> None:
    for what, form in _ACTIVE.items():
        if found := sorted(filter(form.search, names)):
            _refuse(f"holds {what} ({found[0][:80]}); no sheet of ours does, and nothing of it is executed")


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    content = archive.read(part)
    try:
        _count(content, part.filename)
    except expat.ExpatError as error:
        if part.filename.lower().endswith((".xml", ".rels")):
            _refuse(f"is damaged: {part.filename[:80]} is no XML ({error})")
    if part.filename == _MANIFEST and b"macroenabled" in content.lower():
        _refuse("says that it holds macros (.xlsm)")


def _count(content: bytes, name: str) -> None:
    """Read XML to its end and keep nothing of it. Raises ParameterError for a document type and for too many elements."""
    parser, elements = expat.ParserCreate(), 0

    def begun(*_: object) -> None:
        nonlocal elements
        elements += 1
        if elements > ELEMENTS:
            _refuse(f"has more than {ELEMENTS:,} elements in {name[:80]}")

    def declared(*_: object) -> None:
        _refuse(f"declares a document type in {name[:80]}, which no workbook does: an attack")

    parser.StartElementHandler, parser.StartDoctypeDeclHandler = begun, declared
    parser.Parse(content, True)  # noqa: FBT003  the standard library's
