from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import pytest

from benchmarks.publish.plots import detection_plot, spread, write_plots
from tests.benchmarks.fakes import row

ROWS = [
    row(method=method, kind=kind, parameters=n, samples=(n * 1e-4,), extrapolated_from=k)
    for method, kind in (("xcheck-node", "engine"), ("scipy", "peer"))
    for n, k in ((31, None), (1322, None), (101_770, 512))
]


def test_both_plots_are_written_twice(tmp_path: Path) -> None:
    """As SVG and as PNG, beside the rows; nobody's settings are changed."""
    before = dict(mpl.rcParams)
    written = write_plots(ROWS, tmp_path / "cpu.jsonl")
    names = ["cpu-time.svg", "cpu-time.png", "cpu-detection.svg", "cpu-detection.png"]
    assert [path.name for path in written] == names
    assert all(path.stat().st_size > 1_000 for path in written)
    assert dict(mpl.rcParams) == before


def test_the_same_rows_make_the_same_file(tmp_path: Path) -> None:
    """An SVG under version control changes when its numbers do."""
    first, second = (write_plots(ROWS, tmp_path / name)[0].read_text() for name in ("a.jsonl", "b.jsonl"))
    assert first == second


def test_without_numbers_nothing_is_drawn(tmp_path: Path) -> None:
    """Invalid rows are not fast, and what was not asked is not found."""
    assert write_plots([row(valid=False, faults=None)], tmp_path / "cpu.jsonl") == []


@pytest.mark.parametrize("heights", [[0.5] * 6, [0.0, 0.01, 0.5, 0.51, 0.52], [0.1, 0.9]])
def test_labels_do_not_overlap(heights: list[float]) -> None:
    """They keep their order and their distance."""
    moved = spread(heights, 0.04)
    assert len(moved) == len(heights)
    assert all(high - low >= 0.04 - 1e-9 for low, high in pairwise(moved))


def test_who_rejects_everything_has_found_nothing() -> None:
    """A row that is invalid counts among the right gradients only."""
    figure = detection_plot([*ROWS, row(method="scipy", valid=False, faults={"W2 x 2": True})])
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    # Two methods by three lines: the right gradient, W2 x 2 (found three times), b1 x 4 (missed three times).
    assert texts == ["3/3", "3/4", "3/3", "3/3", "0/3", "0/3"]
