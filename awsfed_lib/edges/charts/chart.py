"""One plot: an SVG that says in words what it shows. Equal figures give equal bytes, so that two runs can be compared.

matplotlib is imported when the first plot is drawn. Names from outside never reach its formula parser: a role called
`$x_1$` is a name (matplotlib.org/stable/users/explain/text/mathtext.html).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any

from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.style import INK, LINE, PALETTE, PAPER, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.0
"""Inches of the axes at 72 points; names stand beside them."""
STRONG, GOOD, WARN, BAD = "#2f6db3", "#2e8b4a", "#b06a00", PALETTE["bad"].text
"""Lines and bars have a contrast of at least 3 to 1 with the paper (WCAG 2.2, 1.4.11), and BAD, in which words stand too, 4.5 to 1."""
LINE_COLOUR = LINE
STATES = ("not read", "critical", "ended", "gap", "soon", "fine")
"""What a plot can say of a thing, the worst first: what was not read may be anything."""
_LONGEST, _LONGEST_TITLE = 42, 110
_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "awsfed",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Liberation Sans", "Arial", "sans-serif"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "figure.facecolor": PAPER,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Chart:
    """A plot. `alt`: what it shows, in words and figures; it stands for the plot where there are no pictures.

    `states`: what it says of each thing that it judges, one of STATES.
    """

    svg: str
    alt: str
    states: Mapping[str, str] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}

    def __str__(self) -> str:
        return self.alt


class Canvas:
    """What is drawn upon while the context of `canvas` is open."""

    def __init__(self, figure: Figure, axes: Axes) -> None:
        self.figure, self.axes = figure, axes

    def chart(self, alt: str, states: Mapping[str, str] | None = None) -> Chart:
        """Return what was drawn."""
        out = StringIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # the reader's browser has it, or shows a box
            self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
        return Chart(_titled(out.getvalue(), alt), alt, states or {})


def _titled(svg: str, alt: str) -> str:
    """Let the SVG say what it shows where it stands as it is, and not in a picture with a text of its own."""
    before, tag, after = svg.partition("<svg ")
    attributes, end, inside = after.partition(">")
    return f'{before}{tag}role="img" {attributes}{end}<title>{escaped(alt)}</title>{inside}'


@contextmanager
def canvas(title: str, height: float) -> Iterator[Canvas]:
    """Open a drawing of `height` inches with a title."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = _SETTINGS
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_title("\n".join(visible(part, _LONGEST_TITLE) for part in title.split("\n")))
        yield Canvas(figure, axes)


def named(text: object) -> str:
    """Return a name as a plot can show it: nothing hidden, and cut where it is too long."""
    return visible(str(text), _LONGEST)
