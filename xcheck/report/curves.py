"""Curves over the steps of training, as SVG that stands in a page: it needs no other file, and no script.

Axes and words take the reader's own colour, light or dark. Lines differ in their dashes as well as in their colours.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Points = Sequence[tuple[float, float]]

# With a twentieth of room above and below, an axis from -1e300 to 1e300 is still below the largest float64, 1.8e308.
_LARGEST = 1e300
# Pixels, measured on the page of a training: as wide as the text above it, with margins for the labels of the axes on
# the left and below, and for the legend on the right. test_a_training_is_a_page_with_its_curves draws it.
_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 110, 28, 34
# Colour and dashes of up to five lines: the colours are the report's own blue, green, magenta and grey, and an orange.
_STROKES = (("#3377dd", ""), ("#b35900", "6 3"), ("#2a852a", "2 3"), ("#ba42ba", "8 3 2 3"), ("#767676", "1 4"))
_TEXT = 'font-family="ui-monospace, monospace" font-size="12" fill="currentColor"'


def draw_chart(title: str, lines: Mapping[str, Points], *, log: bool = False, marks: Sequence[float] = ()) -> str:
    """Return one chart as an SVG element; empty where nothing can be drawn.

    Args:
        title: the title of the chart.
        lines: per name the points (step, value), in order; those that are not finite are left out, and with `log` those
            that are not positive.
        log: whether values are drawn by their logarithms.
        marks: steps that are marked by a line from top to bottom.
    """
    shown = {name: _select_drawable(points, log) for name, points in lines.items()}
    values = [y for points in shown.values() for _, y in points]
    if not values:
        return ""
    # All lines share the axes. A training of one step, or of none, still has a width.
    axes = _Axes(*_choose_ends(values, log), max([x for points in shown.values() for x, _ in points] + [1.0]))
    parts = [f'<text x="{_LEFT}" y="16" {_TEXT} font-weight="bold">{escape(title)}</text>']
    ticks = _choose_ticks(axes.low, axes.high, log)
    parts += [_draw_tick(axes.down(y), f"1e{y:.0f}" if log else f"{y:.3g}") for y in ticks]
    parts += [_draw_mark(axes.across(step)) for step in marks]
    labels = ((0, "0"), (axes.last, f"{axes.last:.0f}"), (axes.last / 2, "steps"))
    parts += [_draw_label(axes.across(x), word) for x, word in labels]
    for number, (name, points) in enumerate(shown.items()):
        drawn = " ".join(f"{axes.across(x)},{axes.down(y)}" for x, y in points)
        parts += _draw_line(name, drawn, _STROKES[number % len(_STROKES)], _TOP + 14 + 18 * number)
    inside = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" style="max-width: 100%" role="img" '
        f'aria-label="{escape(title)}">\n{inside}\n</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Axes:
    """The axes of a chart, from step 0 to the last step.

    Attributes:
        low: value at the bottom.
        high: value at the top.
        last: step at the right.
    """

    low: float
    high: float
    last: float

    def across(self, step: float) -> float:
        """Return where a step is, in pixels from the left."""
        return round(_LEFT + step / self.last * (_WIDTH - _LEFT - _RIGHT), 1)

    def down(self, value: float) -> float:
        """Return where a value is, in pixels from the top."""
        return round(_TOP + (self.high - value) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _select_drawable(points: Points, log: bool) -> Points:
    """Return the points that have a place in the chart, with logarithms of the values if they are asked for."""
    drawable = [(x, y) for x, y in points if abs(y) < _LARGEST and (y > 0 or not log)]
    return [(x, math.log10(y)) for x, y in drawable] if log else drawable


def _choose_ends(values: Sequence[float], log: bool) -> tuple[float, float]:
    """Return the ends of the axis: whole decades, or the values with a little room."""
    low, high = min(values), max(values)
    if log:
        # Below a power of ten that is reached exactly, one decade is left, or the axis would have no extent.
        return math.floor(low), max(math.ceil(high), math.floor(low) + 1)
    # A constant has no extent: it is drawn in the middle.
    room = (high - low) * 0.05 or abs(high) or 1.0
    return low - room, high + room


def _choose_ticks(low: float, high: float, log: bool) -> list[float]:
    """Return round numbers between the ends, at most seven."""
    if log:
        # Distances span up to 16 decades, from the roundoff to θ itself: labels at all of them would overlap.
        decades = max(1, math.ceil((high - low) / 6))
        return [float(y) for y in range(math.ceil(low), math.floor(high) + 1, decades)]
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    # The least of 1, 2, 5 times a power of ten that leaves at most seven.
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _draw_tick(y: float, label: str) -> str:
    rule = f'<line x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}" stroke="currentColor" stroke-opacity="0.2"/>'
    return f'{rule}<text x="{_LEFT - 6}" y="{y + 4}" {_TEXT} text-anchor="end">{label}</text>'


def _draw_label(x: float, word: str) -> str:
    return f'<text x="{x}" y="{_HEIGHT - 12}" {_TEXT} text-anchor="middle">{word}</text>'


def _draw_mark(x: float) -> str:
    return (
        f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{_HEIGHT - _BOTTOM}" stroke="currentColor" stroke-opacity="0.5" '
        'stroke-dasharray="2 2"/>'
    )


def _draw_line(name: str, points: str, stroke: tuple[str, str], y: float) -> list[str]:
    """Return a line and its place in the legend."""
    style = f'stroke="{stroke[0]}" stroke-width="2" stroke-dasharray="{stroke[1]}" fill="none"'
    start = _WIDTH - _RIGHT + 8
    # A line of one point would be invisible: it is drawn as a dot.
    dot = points.partition(",") if " " not in points else ("", "", "")
    return [
        f'<polyline points="{points}" {style}/>',
        *([f'<circle cx="{dot[0]}" cy="{dot[2]}" r="3" fill="{stroke[0]}"/>'] if dot[2] else []),
        f'<line x1="{start}" y1="{y}" x2="{start + 24}" y2="{y}" {style}/>',
        f'<text x="{start + 30}" y="{y + 4}" {_TEXT}>{escape(name)}</text>',
    ]
