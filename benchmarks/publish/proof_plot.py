"""The picture of the proof suite: the smallest error of a gradient that is seen, against n."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.suites.proof_rows import ProofRow

# Colours that colour-blind people can tell apart, as in the other plots.
_SERIES: tuple[tuple[str, str, str, Callable[[ProofRow], float | None]], ...] = (
    ("check along directions", "#D55E00", "s", lambda row: row.check_sees),
    ("central differences at their best step, known with hindsight", "#E69F00", "D", lambda row: row.difference),
    ("called wrong by a proof", "#4292C6", "^", lambda row: row.called_wrong),
    ("seen by a proof", "#08306B", "o", lambda row: row.seen),
)


def write_proof_plot(rows: Sequence[ProofRow], beside: Path) -> Path | None:
    """Draw the picture as SVG next to a file of rows, and return its path; None where there is nothing to show."""
    valid = [row for row in rows if row.valid]
    if not valid:
        return None
    path = beside.with_suffix(".svg")
    # The salt makes the same rows the same file.
    with mpl.rc_context({"svg.hashsalt": "xcheck"}):
        proof_plot(valid).savefig(path, metadata={"Date": None})
    return path


def proof_plot(rows: Sequence[ProofRow]) -> Figure:
    """Draw one point for each loss and each way to see an error."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlabel="parameters n", ylabel="smallest error seen, of the gradient's norm")
    for label, colour, marker, value in _SERIES:
        points = [(row.parameters, found) for row in rows if (found := value(row)) is not None]
        axes.plot(*zip(*points, strict=True) if points else ([], []), marker, color=colour, label=label, markersize=6)
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(loc="center right", fontsize=8)
    axes.set_title("Errors in random directions: below each point nothing is seen", loc="left", fontsize=10)
    return figure
