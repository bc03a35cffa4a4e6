"""Which of these has which of those: accounts down, roles across, and the gaps that the eye finds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from awsfed_lib.edges.charts.chart import GOOD, LINE_COLOUR, WARN, Chart, canvas, named

MOST_ROWS, MOST_COLUMNS = 60, 16


def heat(title: str, pairs: Iterable[tuple[str, str]], *, rows: Iterable[str] = (), unread: Iterable[str] = ()) -> Chart:
    """Draw a grid of `pairs` (row, column). `rows`: those that are drawn even when they have nothing, `unread`: of which nothing is known.

    The columns that most rows have come first; a column counts as expected when at least half of the rows have it, and its
    gaps are marked. What does not fit is counted in the words.
    """
    having: defaultdict[str, set[str]] = defaultdict(set, {row: set() for row in rows})
    for row, column in pairs:
        having[row].add(column)
    often = Counter(column for columns in having.values() for column in columns)
    across = sorted(often, key=lambda column: (-often[column], column))[:MOST_COLUMNS]
    unknown = sorted(set(unread))
    down = [*unknown, *sorted(having)][:MOST_ROWS]
    expected = {column for column in across if 2 * often[column] >= len(having)}
    left_out = _left_out(len(unknown) + len(having) - len(down), len(often) - len(across))
    with canvas(f"{title}{left_out}", 1.4 + 0.2 * max(1, len(down))) as drawing:
        axes = drawing.axes
        for tone, wanted in ((GOOD, True), (WARN, False)):
            places = [(x, y) for y in range(len(down)) for x in range(len(across))]
            known = [(x, y) for x, y in places if down[y] in having]
            cells = [(x, y) for x, y in known if _marked(across[x] in having[down[y]], across[x] in expected, wanted)]
            axes.scatter([x for x, _ in cells], [y for _, y in cells], marker="s" if wanted else "x", s=60 if wanted else 34, color=tone)
        for y, name in enumerate(down):
            if name not in having:
                axes.text(-0.45, y, "? not read", va="center", fontsize=8, color=WARN)
        axes.set_xticks(range(len(across)), [named(column) for column in across], rotation=35, ha="right")
        axes.set_yticks(range(len(down)), [named(row) for row in down])
        axes.set_xlim(-0.6, max(1, len(across)) - 0.4)
        axes.set_ylim(max(1, len(down)) - 0.4, -0.6)
        axes.grid(color=LINE_COLOUR, linewidth=0.4)
        axes.set_axisbelow(True)
        gaps = [(row, column) for row in sorted(having) for column in sorted(expected - having[row])]
        states = {f"{row} / {column}": "fine" for row, columns in having.items() for column in columns}
        states |= {f"{row} / {column}": "gap" for row, column in gaps}
        states |= {f"{row} / {column}": "not read" for row in unknown for column in often}
        return drawing.chart(_words(title, (len(having), len(unknown), len(often)), gaps), states)


def _left_out(rows: int, columns: int) -> str:
    """Say under the title what is not drawn."""
    said = [f"{number} {noun}" for number, noun in ((rows, "rows"), (columns, "columns")) if number > 0]
    return f"\n{' and '.join(said)} more are not drawn" if said else ""


def _marked(there: bool, expected: bool, wanted: bool) -> bool:  # noqa: FBT001  three facts about one cell
    return there if wanted else expected and not there


def _words(title: str, counts: tuple[int, int, int], gaps: Sequence[tuple[str, str]]) -> str:
    rows, unread, columns = counts
    said = "; ".join(f"{named(row)} has no {named(column)}" for row, column in gaps[:10])
    more = f"; and {len(gaps) - 10} more" if len(gaps) > 10 else ""  # noqa: PLR2004  ten are read
    not_read = f", {unread} not read" if unread else ""
    return f"{title}: {rows} rows{not_read}, {columns} columns, {len(gaps)} gaps{': ' if said else ''}{said}{more}."
