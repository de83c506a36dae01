"""Plots in plain characters: errors over steps of differences, and losses over steps of training."""

import math
from collections.abc import Sequence
from functools import partial

from xcheck.training.curves import LossPoint

# Guesses, chosen so that a plot and the table above it fit a screen of 40 lines.
_MOST_ROWS = 12
_LOSS_ROWS = 8
# Between -1e300 and 1e300 the height of a plot, at most 2e300, is below the largest float64, 1.8e308.
_LARGEST = 1e300


def plot_points(points: Sequence[tuple[float, float]], *, level: float, columns: int) -> list[str]:
    """Return the lines of a plot with both axes logarithmic.

    Args:
        points: x, ascending, and y. A y of 0 is drawn on the lowest line, one that is not finite not at all.
        level: a y to be drawn as a line, 0 for none.
        columns: width without the labels, which take 8.

    >>> for line in plot_points([(1e-3, 1e-4), (1e-2, 1e-5), (1e-1, 1e-3)], level=0, columns=9):
    ...     print(line)
      1e-03 |       *
      1e-04 | *
      1e-05 |    *
            +---------
             1e-03 1e-01
    """
    ys = [y for _, y in points if math.isfinite(y) and y > 0]
    if not ys:
        return []
    # A level far from all points would flatten them.
    shown = [*ys, level] if min(ys) * 1e-2 < level < max(ys) * 1e2 else ys
    low, high = round(math.log10(min(shown))), round(math.log10(max(shown)))
    decades = max(1, math.ceil((high - low + 1) / _MOST_ROWS))
    rows = (high - low) // decades + 1
    # The same number of columns for each point: steps are powers of ten.
    width = max(1, columns // len(points))
    grid = [[" "] * (width * len(points)) for _ in range(rows)]
    row = partial(_find_row, low=low, decades=decades, rows=rows)
    if level in shown[len(ys) :]:
        grid[row(level)] = ["-"] * len(grid[0])
    # Points after the level, so that none is hidden behind it.
    for number, (_, y) in enumerate(points):
        if math.isfinite(y):
            grid[row(y)][number * width + width // 2] = "*"
    return _add_axes(grid, [10.0 ** (low + number * decades) for number in range(rows)], (points[0][0], points[-1][0]))


def _find_row(y: float, *, low: int, decades: int, rows: int) -> int:
    if y <= 0:
        return 0
    # A decade is rounded to the nearest row, which may be one beyond the last.
    return min(rows - 1, max(0, round((math.log10(y) - low) / decades)))


def _add_axes(grid: Sequence[Sequence[str]], ys: Sequence[float], ends: tuple[float, float]) -> list[str]:
    """Return the lines of a plot, the highest first, with a label at each y and at both ends of x."""
    lines = [f"  {y:.0e} |{''.join(cells)}".rstrip() for y, cells in zip(ys, grid, strict=True)]
    first, last = (f"{x:.0e}" for x in ends)
    gap = " " * max(1, len(grid[0]) - len(first) - len(last))
    return [*reversed(lines), f"{' ' * 8}+{'-' * len(grid[0])}", f"{' ' * 9}{first}{gap}{last}"]


def plot_losses(points: Sequence[LossPoint], columns: int) -> list[str]:
    """Draw the losses over the steps in plain characters: t training, v validation, * both."""
    steps = max(point.step for point in points) or 1
    losses = [loss for point in points for loss in (point.training_loss, point.validation_loss)]
    values = [loss for loss in losses if abs(loss) < _LARGEST]  # nan is not, either
    if not values:
        return [f"loss: not finite, or above {_LARGEST:.0e}"]
    low, high = min(values), max(values)
    # A constant loss needs a height to divide by; beside 1e17, 1 is no height in float64.
    high = high if high > low else low + max(1.0, abs(low))
    field = [[" "] * columns for _ in range(_LOSS_ROWS)]
    for point in points:
        column = round(point.step / steps * (columns - 1))
        for letter, value in (("t", point.training_loss), ("v", point.validation_loss)):
            if not low <= value <= high:
                continue
            # Row 0 is printed first, so it is the highest value.
            row = round((high - value) / (high - low) * (_LOSS_ROWS - 1))
            field[row][column] = letter if field[row][column] in (" ", letter) else "*"
    labels = [f"{high:9.3g} |", *["          |"] * (_LOSS_ROWS - 2), f"{low:9.3g} |"]
    drawn = [label + "".join(cells).rstrip() for label, cells in zip(labels, field, strict=True)]
    end = f"{'':10}0{steps:>{columns}}"
    return ["loss: t training, v validation, dropout off", *drawn, f"{'':10}+{'-' * columns}", end]
