"""Plots in plain characters: errors over steps of differences, and losses over steps of training."""

import math
from collections.abc import Sequence

from xcheck.training.curves import LossPoint

# A guess, chosen so that a plot and the table above it fit a screen of 40 lines.
_MOST_ROWS = 12
_LOSS_ROWS = 8
_LARGEST = 1e300  # losses above it are drawn nowhere: the height of the plot would overflow


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

    def row(y: float) -> int:
        return 0 if y <= 0 else min(rows - 1, max(0, round((math.log10(y) - low) / decades)))

    if level in shown[len(ys) :]:
        grid[row(level)] = ["-"] * len(grid[0])
    for number, (_, y) in enumerate(points):
        if math.isfinite(y):
            grid[row(y)][number * width + width // 2] = "*"
    lines = [f"  {10.0 ** (low + number * decades):.0e} |{''.join(grid[number])}".rstrip() for number in range(rows)]
    first, last = f"{points[0][0]:.0e}", f"{points[-1][0]:.0e}"
    gap = " " * max(1, len(grid[0]) - len(first) - len(last))
    return [*reversed(lines), f"{' ' * 8}+{'-' * len(grid[0])}", f"{' ' * 9}{first}{gap}{last}"]


def plot_losses(points: Sequence[LossPoint], columns: int) -> list[str]:
    """Draw the losses over the steps in plain characters: t training, v validation, * both."""
    steps = max(point.step for point in points) or 1
    values = [loss for point in points for loss in (point.training_loss, point.validation_loss) if math.isfinite(loss)]
    if not values:
        return ["loss: not finite"]
    low, high = max(min(values), -_LARGEST), min(max(values), _LARGEST)
    if not high > low:  # a constant loss still needs a height
        high = low + 1.0
    field = [[" "] * columns for _ in range(_LOSS_ROWS)]
    for point in points:
        column = round(point.step / steps * (columns - 1))
        for letter, value in (("t", point.training_loss), ("v", point.validation_loss)):
            if not low <= value <= high:
                continue
            row = round((high - value) / (high - low) * (_LOSS_ROWS - 1))
            field[row][column] = letter if field[row][column] in (" ", letter) else "*"
    labels = [f"{high:9.3g} |", *["          |"] * (_LOSS_ROWS - 2), f"{low:9.3g} |"]
    drawn = [label + "".join(cells).rstrip() for label, cells in zip(labels, field, strict=True)]
    end = f"{'':10}0{steps:>{columns}}"
    return ["loss: t training, v validation, dropout off", *drawn, f"{'':10}+{'-' * columns}", end]
