"""The looks that all figures share: size, type, colours with markers, notes, saving.

Figures are drawn at the size they have in print, so a point here is a point on paper. Matplotlib's
object interface is used throughout: no window, no state between figures.
"""

from __future__ import annotations

import contextlib
import dataclasses
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import fontTools.subset
import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from facebias.core.replacement import replacing
from facebias.study import Figures

PAGE_WIDTH = 7.1  # inches: both columns of a paper, 180 mm
NARROW = 4.6  # a figure with a single column of panels
TEXT = 7.0  # points; nothing is set smaller
TITLE = 8.0
INK, SOFT, FAINT = "#1a1a1a", "#5f5f5f", "#d5d5d5"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", ":", "-.")
LETTERS_PER_INCH = 17.7
NOTE_LINE = 1.3 * TEXT / 72  # inches
NOT_AVAILABLE = "n/a"
MOST_WITH_WORDS = 3  # columns of a page whose titles have room for words

PRINT = {
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "axes.titlesize": TITLE,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelsize": TEXT,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "legend.fontsize": TEXT,
    "legend.title_fontsize": TITLE,
    "legend.frameon": False,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.6,
    "legend.borderpad": 0.35,
    "lines.linewidth": 1.1,
    "hatch.linewidth": 0.5,
    "figure.constrained_layout.h_pad": 0.045,
    "figure.constrained_layout.w_pad": 0.03,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}


@dataclasses.dataclass(frozen=True)
class Series:
    """How one group, split or definition looks: never by colour alone."""

    colour: str
    marker: str
    line: str


@contextlib.contextmanager
def printing(figures: Figures) -> Iterator[None]:
    """Draw and save with the looks of print; restores Matplotlib's settings afterwards."""
    with matplotlib.rc_context({**PRINT, "savefig.dpi": figures.dpi, "figure.dpi": figures.dpi}):
        yield


def series(
    names: Sequence[str], figures: Figures, *, whole: bool = False, start: int = 0
) -> dict[str, Series]:
    """Return the looks of every name, in order.

    ``whole``: the first of several names stands for everybody (a split such as ``all``), drawn in
    ink, so that the groups after it keep the colours that they have in other figures.
    ``start`` leaves out the first colours, for series that are not groups of people.
    """
    whole = whole and len(names) > 1
    looks = {}
    for position, name in enumerate(names):
        shift = position - whole + start
        colour = INK if whole and position == 0 else figures.colours[shift % len(figures.colours)]
        looks[name] = Series(
            colour,
            MARKERS[(position + start) % len(MARKERS)],
            LINES[position % len(LINES)],
        )
    return looks


def blank(height: float, *, width: float = PAGE_WIDTH) -> Figure:
    """Return an empty figure of ``width`` x ``height`` inches."""
    return Figure(figsize=(width, height), layout="constrained")


def heading(figure: Figure, text: str) -> None:
    """Write one bold line above the panels."""
    figure.suptitle(
        f"{text}\n", x=0.008, ha="left", fontsize=TITLE, fontweight="bold", linespacing=0.7
    )


def key(figure: Figure, title: str, entries: Mapping[str, Line2D], *, columns: int = 4) -> Legend:
    """Write the heading with the key of the series under it, above the panels."""
    return figure.legend(
        list(entries.values()),
        list(entries),
        title=title,
        loc="outside upper left",
        ncols=columns,
        alignment="left",
        title_fontproperties={"weight": "bold", "size": TITLE},
    )


def wrapped(text: str, width: float) -> str:
    """Break text into lines that fit ``width`` inches."""
    return textwrap.fill(text, int(width * LETTERS_PER_INCH))


def trained_on(train: str, columns: int) -> str:
    """Write the title of one of several columns: of many, each has little room."""
    if columns <= MOST_WITH_WORDS:
        return f"trained on {train}"
    name = train.replace("_", " ").replace(" ", "\n")
    return f"on {name}"


def words(title: str, text: str) -> Figure:
    """Return a figure that only says something: that there is nothing to draw, and why."""
    figure = blank(0.9, width=NARROW)
    heading(figure, title)
    note(figure, text)
    return figure


def dot(look: Series) -> Line2D:
    """Return the sample of a dot with its interval, for a key."""
    return Line2D([], [], color=look.colour, marker=look.marker, ms=4, lw=1.0, mew=0)


def note(figure: Figure, text: str) -> None:
    """Write what a reader must know (numbers of people, how to read it) under the panels."""
    text = wrapped(text, figure.get_figwidth())
    figure.supxlabel(text, x=0.008, ha="left", fontsize=TEXT, color=SOFT, linespacing=1.3)


def note_first(figure: Figure, text: str) -> None:
    """Put a sentence before the note of a finished figure, which grows by the lines it takes."""
    before = figure.get_supxlabel()
    text = f"{text} {' '.join(before.split())}".strip()
    note(figure, text)
    more = figure.get_supxlabel().count("\n") - before.count("\n") + (not before)
    figure.set_figheight(figure.get_figheight() + more * NOTE_LINE)


def interval(
    axes: Axes,
    position: float,
    value: float,
    low: float,
    high: float,
    look: Series,
    *,
    horizontal: bool,
    hollow: bool = False,
    aside: int = 0,
) -> None:
    """Draw a value with its interval, or a clearly marked "n/a" where there is none."""
    if not np.isfinite(value):
        missing(axes, position, horizontal=horizontal, colour=look.colour, aside=aside)
        return
    ends = ([position, position], [low, high])
    place = ([position], [value])
    if horizontal:
        ends, place = ends[::-1], place[::-1]
    if np.isfinite(low) and np.isfinite(high):
        axes.plot(*ends, color=look.colour, lw=1.0, solid_capstyle="butt", clip_on=False, zorder=2)
    axes.plot(
        *place,
        color=look.colour,
        marker=look.marker,
        ms=4,
        mew=0.8 if hollow else 0,
        mfc="white" if hollow else look.colour,
        lw=0,
        clip_on=False,
        zorder=3,
    )


def missing(
    axes: Axes, position: float, *, horizontal: bool, colour: str = SOFT, aside: int = 0
) -> None:
    """Mark a missing value at its place, off the scale, so that nobody reads it as 0.

    ``aside`` shifts the mark along its row so that marks in close rows do not overlap.
    """
    if horizontal:
        place, transform = (0.015 + 0.09 * aside, position), axes.get_yaxis_transform()
    else:
        place, transform = (position, 0.03), axes.get_xaxis_transform()
    axes.text(
        *place,
        NOT_AVAILABLE,
        transform=transform,
        color=colour,
        fontsize=TEXT,
        fontstyle="italic",
        rotation=0 if horizontal else 90,
        ha="left" if horizontal else "center",
        va="center_baseline" if horizontal else "bottom",
    )


def offsets(n: int, *, span: float) -> np.ndarray:
    """Return ``n`` places side by side within ``span`` around 0."""
    return (np.arange(n) - (n - 1) / 2) * span / max(n, 1)


def count(n: float, one: str, many: str = "") -> str:
    """Write a number with its noun: ``1 subject``, ``12 subjects``."""
    number = f"{n:,.0f}" if float(n).is_integer() else f"{n:,.1f}"
    return f"{number} {one if n == 1 else many or one + 's'}"


def fitted(n: float, of: float) -> str:
    """Say that regions are those of a template, for a note; nothing where none is."""
    # Some are never 0 % and never all.
    some = min(max(round(100 * n / of), 1), 99) if of else 0
    share = "" if n == of else f" for {some} % of samples"
    return f" Regions{share}: of an average face, fitted to five points." if n else ""


def save(figure: Figure, numbers: pd.DataFrame, stem: Path | str) -> None:
    """Write ``STEM.pdf``, ``STEM.png`` and ``STEM.csv``: the same bytes for the same figure."""
    stem = Path(stem)
    # Laid out once, for all formats; `savefig` would draw everything once more for each of them.
    if figure.axes and (layout := figure.get_layout_engine()):
        layout.execute(figure)
    figure.set_layout_engine("none")
    dpi = figure.get_dpi()
    with replacing(stem.with_name(f"{stem.name}.pdf")) as temporary:
        nothing = {"CreationDate": None, "Creator": None, "Producer": None}
        with _thin_fonts():
            FigureCanvasPdf(figure).print_pdf(temporary, metadata=nothing)
    figure.set_dpi(dpi)  # of a PDF it is 72
    with replacing(stem.with_name(f"{stem.name}.png")) as temporary:
        FigureCanvasAgg(figure).print_png(temporary, metadata={"Software": None})
    with replacing(stem.with_name(f"{stem.name}.csv")) as temporary:
        numbers.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


class _Thin(fontTools.subset.Options):
    """Leaves out of an embedded font how to arrange its letters: a PDF says where each one is.

    To cut those tables down to the letters that are used takes more time than all others.
    """

    def __init__(self, **options: object):
        super().__init__(**options)
        self.drop_tables = [*self.drop_tables, "GDEF", "GPOS", "GSUB", "kern"]


@contextlib.contextmanager
def _thin_fonts() -> Iterator[None]:
    """Have Matplotlib embed such fonts; it has no setting for that."""
    usual = fontTools.subset.Options
    fontTools.subset.Options = _Thin
    try:
        yield
    finally:
        fontTools.subset.Options = usual
