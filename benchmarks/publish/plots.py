"""Plots: time against n, one line per method; and which planted faults each method finds. Drawn without a display.

Figures are made as objects, never through pyplot, so that nobody's backend or style is touched.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.measure.rows import Row
from benchmarks.measure.whole import IMPORTS
from benchmarks.peers.catalogue import ENGINES, PEERS
from xcheck.testing import FAULTS

SUFFIXES = (".svg", ".png")
# The engines in blues, the peers in colours that colour-blind people can tell apart from those; the same in every plot.
_BLUES = ("#9ECAE1", "#4292C6", "#2171B5", "#08306B")
_OTHERS = ("#D55E00", "#E69F00", "#009E73", "#CC79A7", "#8C6BB1", "#A6761D", "#B2182B")
_COLOURS = {
    **dict(zip((entry.name for entry in ENGINES), _BLUES, strict=True)),
    **dict(zip((entry.name for entry in PEERS), _OTHERS, strict=True)),
}
_MARKERS = "osD^v<>Ph"
_LABEL_HEIGHT = 0.034  # of the axes
_ACCEPTED = "the right gradient is accepted"


def write_plots(rows: Sequence[Row], beside: Path) -> list[Path]:
    """Draw both plots, as SVG and PNG, next to a file of rows; one for which there is nothing to show is left out."""
    written = []
    drawn = {"time": time_plot(rows), "detection": detection_plot(rows)}
    for name, figure in ((name, figure) for name, figure in drawn.items() if figure is not None):
        for suffix in SUFFIXES:
            path = beside.with_name(f"{beside.stem}-{name}{suffix}")
            # The salt makes the same rows the same file.
            with mpl.rc_context({"svg.hashsalt": "xcheck"}):
                figure.savefig(path, dpi=150, metadata={"Date": None} if suffix == ".svg" else None)
            written.append(path)
    return written


def time_plot(rows: Sequence[Row]) -> Figure | None:
    """Draw the steady time of one call against n: xcheck solid, peers dashed, extrapolated points hollow.

    Lines go through the networks of the most frequent activation; others are loose points.
    """
    timed = [row for row in rows if row.valid and row.median is not None and row.method != IMPORTS]
    methods = list(dict.fromkeys(row.method for row in timed))
    if not methods:
        return None
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlabel="parameters n", ylabel="seconds, median of steady calls")
    (usual, _), *_ = Counter(row.activation for row in timed).most_common()
    ends = {}
    for method, marker in zip(methods, cycle(_MARKERS), strict=False):
        points = sorted((row for row in timed if row.method == method), key=lambda row: row.parameters)
        colour = _COLOURS.get(method, "black")
        through = [row for row in points if row.activation == usual]
        _points(axes, points, colour, marker)
        _line(axes, through, colour)
        last = (through or points)[-1]
        ends[method] = (last.parameters, float(last.median or 0), colour)
    axes.grid(visible=True, which="major", alpha=0.3)
    how = f"xcheck solid, others dashed; lines through {usual} networks; hollow: extrapolated from a sample"
    axes.set_title(f"One check of a whole gradient\n{how}", loc="left", fontsize=10)
    figure.draw_without_rendering()  # places the axes, which the labels depend on
    _label(axes, ends)
    return figure


def _line(axes: Axes, points: Sequence[Row], colour: str) -> None:
    own = any(row.kind != "peer" for row in points)
    x, y = [row.parameters for row in points], [row.median or np.nan for row in points]
    axes.plot(x, y, color=colour, linestyle="-" if own else "--", linewidth=2.0 if own else 1.2)


def _points(axes: Axes, points: Sequence[Row], colour: str, marker: str) -> None:
    for row in points:
        face = "white" if row.extrapolated_from else colour
        axes.plot(row.parameters, row.median or np.nan, marker, color=colour, markerfacecolor=face, markersize=6)


def _label(axes: Axes, ends: dict[str, tuple[int, float, str]]) -> None:
    """Write each method's name to the right of the axes, with a thin line from the end of its curve."""
    to_axes = axes.transData + axes.transAxes.inverted()
    places = {name: to_axes.transform((n, seconds)) for name, (n, seconds, _) in ends.items()}
    order = sorted(places, key=lambda name: places[name][1])
    heights = spread([places[name][1] for name in order], _LABEL_HEIGHT)
    for name, height in zip(order, heights, strict=True):
        colour = ends[name][2]
        axes.annotate(
            name,
            xy=(float(places[name][0]), float(places[name][1])),
            xytext=(1.05, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linestyle": ":", "linewidth": 0.8, "shrinkB": 4},
        )


def spread(heights: Sequence[float], distance: float) -> list[float]:
    """Move ascending heights apart, as little as a pass upwards and the centring of what was moved allow.

    >>> spread([0.1, 0.5, 0.5], 0.2)
    [0.1, 0.4, 0.6]
    """
    groups: list[tuple[float, int]] = []  # centre and number of labels that touch
    for height in heights:
        groups.append((height, 1))
        while len(groups) > 1:
            (low, few), (high, many) = groups[-2:]
            if high - low >= distance * (few + many) / 2 - 1e-12:
                break
            groups[-2:] = [((low * few + high * many) / (few + many), few + many)]
    return [
        round(centre + distance * (place - (count - 1) / 2), 12) for centre, count in groups for place in range(count)
    ]


def detection_plot(rows: Sequence[Row]) -> Figure | None:
    """Draw a heat map of faults by methods: in how many of the scenarios asked a fault was found.

    A method that rejects the right gradient rejects everything, and has found nothing: such rows count in the first
    line only.
    """
    judging = [row for row in rows if row.kind != "command" and row.valid is not None]
    methods = list(dict.fromkeys(row.method for row in judging if row.valid and row.faults))
    if not methods:
        return None
    outcomes = Counter[tuple[str, str, bool]]()
    for row in judging:
        outcomes[_ACCEPTED, row.method, bool(row.valid)] += 1
        for fault, seen in (row.faults or {}).items() if row.valid else ():
            outcomes[fault, row.method, seen] += 1
    named = {name for name, _, _ in outcomes}
    lines = [_ACCEPTED, *(fault.name for fault in FAULTS if fault.name in named)]
    right = np.array([[outcomes[line, method, True] for method in methods] for line in lines])
    missed = np.array([[outcomes[line, method, False] for method in methods] for line in lines])
    return _heat_map(right, right + missed, lines, methods)


def _heat_map(found: NDArray[np.int64], of: NDArray[np.int64], lines: Sequence[str], methods: Sequence[str]) -> Figure:
    figure = Figure(figsize=(3.2 + 0.75 * len(methods), 1.6 + 0.27 * len(lines)), layout="constrained")
    axes = figure.subplots()
    share = np.ma.masked_array(found / np.maximum(of, 1), of == 0)
    colours = LinearSegmentedColormap.from_list("found", ["#D55E00", "#F6E3B4", "#CFE3EF"]).with_extremes(bad="#EEEEEE")
    axes.pcolormesh(share[::-1], cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=1)
    for line, column in np.ndindex(found.shape):
        if of[line, column]:
            text = f"{found[line, column]}/{of[line, column]}"
            all_found = found[line, column] == of[line, column]
            place = (column + 0.5, len(lines) - line - 0.5)
            axes.text(*place, text, ha="center", va="center", fontsize=7, color="#8AA" if all_found else "black")
    axes.set_xticks(np.arange(len(methods)) + 0.5, methods, rotation=40, ha="left")
    axes.set_yticks(np.arange(len(lines)) + 0.5, lines[::-1], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.axhline(len(lines) - 1, color="black", linewidth=1)
    axes.set_title("Planted faults: found in how many of the networks in which they change anything", loc="left")
    return figure
