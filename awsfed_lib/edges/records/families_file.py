"""Reads a YAML file of nested values in which no name stands twice: the file of families below parameters/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings.table_file import decoded


def load(path: Path) -> dict[str, Any]:
    """Read the file as one mapping of plain values. Raises ParameterError for anything else."""
    try:
        node = yaml.compose(decoded(path.read_bytes(), path.name), Loader=yaml.SafeLoader)
        found = _plain(node, path, 0) if node else None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark else ""
        raise ParameterError(f"The file is no YAML that awsfed reads{place}.", where=str(path), remedy="Start from families.yml.") from None
    if not isinstance(found, dict):
        raise ParameterError("The file holds no `name: value` lines.", where=str(path), remedy="Start from families.yml.")
    return found


def _plain(node: yaml.Node, path: Path, depth: int) -> Any:
    """Make the value of a node; a name that stands twice, or a tag of somebody else, is refused."""
    if depth > 8:  # noqa: PLR2004  far more than any file of ours has
        raise ParameterError("The file is nested too deeply.", where=str(path))
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ParameterError(f"{twice} stands twice, near line {node.start_mark.line + 1}.", where=str(path))
        return {key.value: _plain(value, path, depth + 1) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, path, depth + 1) for item in node.value]
    return yaml.SafeLoader("").construct_object(node)
