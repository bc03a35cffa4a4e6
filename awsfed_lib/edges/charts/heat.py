"""Which of these has which of those: accounts down, roles across, and the gaps that the eye finds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from awsfed_lib.edges.charts.chart import GOOD, LINE_COLOUR, WARN, Chart, canvas, named

MOST_ROWS, MOST_COLUMNS = 60, 16


def heat(title: str, pairs: Iterable[tuple[str, str]], *, rows: Iterable[str] = ()) -> Chart:
    """Draw a grid of `pairs` (row, column). `rows`: those that are drawn even when they have nothing.

    The columns that most rows have come first; a column counts as expected when at least half of the rows have it, and its
    gaps are marked. What does not fit is counted in the words.
    """
    having: defaultdict[str, set[str]] = defaultdict(set, {row: set() for row in rows})
    for row, column in pairs:
        having[row].add(column)
    often = Counter(column for columns in having.values() for column in columns)
    across = sorted(often, key=lambda column: (-often[column], column))[:MOST_COLUMNS]
    down = sorted(having)[:MOST_ROWS]
    expected = {column for column in across if 2 * often[column] >= len(having)}
    with canvas(f"{title}{_left_out(len(having) - len(down), len(often) - len(across))}", 1.4 + 0.2 * max(1, len(down))) as drawing:
        axes = drawing.axes
        for tone, wanted in ((GOOD, True), (WARN, False)):
            places = [(x, y) for y in range(len(down)) for x in range(len(across))]
            cells = [(x, y) for x, y in places if _marked(across[x] in having[down[y]], across[x] in expected, wanted)]
            axes.scatter([x for x, _ in cells], [y for _, y in cells], marker="s" if wanted else "x", s=60 if wanted else 34, color=tone)
        axes.set_xticks(range(len(across)), [named(column) for column in across], rotation=35, ha="right")
        axes.set_yticks(range(len(down)), [named(row) for row in down])
        axes.set_xlim(-0.6, max(1, len(across)) - 0.4)
        axes.set_ylim(max(1, len(down)) - 0.4, -0.6)
        axes.grid(color=LINE_COLOUR, linewidth=0.4)
        axes.set_axisbelow(True)
        return drawing.chart(_words(title, having, expected, often))


def _left_out(rows: int, columns: int) -> str:
    """Say under the title what is not drawn."""
    said = [f"{number} {noun}" for number, noun in ((rows, "rows"), (columns, "columns")) if number > 0]
    return f"\n{' and '.join(said)} more are not drawn" if said else ""


def _marked(there: bool, expected: bool, wanted: bool) -> bool:  # noqa: FBT001  three facts about one cell
    return there if wanted else expected and not there


def _words(title: str, having: dict[str, set[str]], expected: set[str], often: Counter[str]) -> str:
    gaps = [(row, column) for row in sorted(having) for column in sorted(expected - having[row])]
    said = "; ".join(f"{named(row)} has no {named(column)}" for row, column in gaps[:10])
    more = f"; and {len(gaps) - 10} more" if len(gaps) > 10 else ""  # noqa: PLR2004  ten are read
    return f"{title}: {len(having)} rows, {len(often)} columns, {len(gaps)} gaps{': ' if said else ''}{said}{more}."
