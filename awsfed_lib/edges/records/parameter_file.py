"""Reads a parameter file: YAML in which every value means one thing to every reader.

papermill reads the same file with another YAML reader, which makes 1402433619 of an unquoted 012345670123, a boolean of
`yes` and a date of 2026-11-24 (yaml.org/type). So a value without quotes is either plainly text, a plain whole number,
true, false or null, or it is refused with the reason; tags, anchors and repeated names are refused too.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings import parameter_rules
from awsfed_lib.core.settings.parameters import NAMES, Problem, Source, described
from awsfed_lib.core.settings.secrecy import named, shown
from awsfed_lib.edges.records import where

LARGEST = 256 * 1024
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,6})", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_DEEPEST = 2


@dataclass(frozen=True)
class ParameterFile:
    """A parameter file as read: values by name, lines by name, problems of form, and the digest of its bytes."""

    name: str
    values: dict[str, Any]
    source: Source
    sha256: str


def load(path: Path) -> ParameterFile:
    """Read the YAML file at `path`: one mapping of names to text, whole numbers, true, false, null, or lists of those.

    Values are not checked here but by `parameters.check`, which reports them together with the problems found here.
    Raises ParameterError for a file that cannot be read as such a mapping at all.
    """
    content = _content(path)
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _no_yaml(path, error) from None
    except RecursionError:
        raise ParameterError("The parameter file is nested too deeply.", where=str(path), remedy="Write names and values only.") from None
    if not isinstance(node, yaml.MappingNode):
        raise ParameterError(
            "The parameter file holds no `name: value` lines.", where=str(path), remedy="Start from parameters/example.yml."
        )
    reading = _Reading()
    reading.mapping(node)
    problems = (*_anchors(content), *reading.problems)
    return ParameterFile(
        path.name, reading.values, Source(str(path), reading.lines, problems), hashlib.sha256(content.encode()).hexdigest()
    )


def _content(path: Path) -> str:
    try:
        if not path.is_file():
            raise ParameterError("There is no such parameter file.", where=str(path), remedy="See the files in parameters/.")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ParameterError(f"The parameter file is larger than {LARGEST // 1024} KB.", where=str(path))
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(
            f"The parameter file is not UTF-8 (byte {error.start}).", where=str(path), remedy="Save it as UTF-8."
        ) from None
    except OSError as error:
        raise ParameterError(f"The parameter file cannot be read: {error.strerror}.", where=str(path)) from None


def _no_yaml(path: Path, error: yaml.YAMLError) -> ParameterError:
    """Say where the YAML breaks, without the line itself, which may hold anything."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return ParameterError(
        f"The parameter file is no YAML that awsfed reads. {place}{problem}.",
        where=str(path),
        remedy="A text with : # { } [ ] * & ! % or @ in it needs quotes, and so does one with a tab.",
    )


def _anchors(content: str) -> list[Problem]:
    """Anchors and aliases say one thing in two places, and can be made to grow without end."""
    marks = (yaml.AnchorToken, yaml.AliasToken)
    return [
        Problem("&" if isinstance(token, yaml.AnchorToken) else "*", "(an anchor or alias) is refused.", token.start_mark.line + 1)
        for token in yaml.scan(content, Loader=yaml.SafeLoader)
        if isinstance(token, marks)
    ]


class _Reading:
    """Walks the nodes of one file, and gathers values, lines and problems."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []

    def mapping(self, node: yaml.MappingNode) -> None:
        """Take up every `name: value` of the file."""
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem("(a name)", "is no text.", line))
            elif key.value in self.lines:
                self.problems.append(Problem(key.value, f"stands twice; first on line {self.lines[key.value]}.", line))
            else:
                self.lines[key.value] = line
                self.values[key.value] = self.value(key.value, value, 1)

    def value(self, name: str, node: yaml.Node, depth: int) -> Any:
        """Return what `node` stands for, noting what is wrong with it; a tagged or nested value is only noted."""
        line = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode) and _is_untagged(node):
            return self._scalar(name, node, line)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq" and depth < _DEEPEST:
            return [self.value(name, item, depth + 1) for item in node.value]
        shape = "a list in a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
        words = (
            "has a tag (!); take it away." if not _is_untagged(node) else f"holds {shape}; only a value or a list of values is possible."
        )
        self.problems.append(Problem(name, words, line))
        return None

    def _scalar(self, name: str, node: yaml.ScalarNode, line: int) -> Any:
        if node.style is not None:
            return node.value
        if _WHOLE.fullmatch(node.value):
            return int(node.value)
        if node.value.lower() in _WORDS:
            return _WORDS[node.value.lower()]
        if node.tag != "tag:yaml.org,2002:str" or node.value.isdecimal():
            self.problems.append(Problem(name, _ambiguous(name, node), line))
        return node.value


def _is_untagged(node: yaml.Node) -> bool:
    """Tell whether the node carries no tag of its own: composing gives every node one, the same that resolving gives."""
    if isinstance(node, yaml.ScalarNode):
        resolver: Any = yaml.SafeLoader("")
        return bool(node.tag == resolver.resolve(yaml.ScalarNode, node.value, (node.style is None, node.style is not None)))
    return node.tag in ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")


def _ambiguous(name: str, node: yaml.ScalarNode) -> str:
    """Say what other readers make of a value without quotes."""
    if named(name):
        return "needs quotes."
    value, read = shown(node.value), node.tag.rpartition(":")[2]
    kind = {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}.get(read, "something else")
    if read == "int":
        kind = f"the number {yaml.safe_load(node.value)}"
    quoted = "Write digits only." if name in NAMES and described(name).kind == "whole number" else f'Quote it: "{value}".'
    remedy = parameter_rules.lost_zero(node.value) or quoted
    return f"is {value} without quotes, which other YAML readers take for {kind}. {remedy}"


def found(file: Path | str) -> Path:
    """Return a parameter file where it was named, or else below ROOT/parameters."""
    named = Path(file)
    if named.exists() or named.is_absolute():
        return named
    below = where.parameters() / named
    return below if below.exists() else named
