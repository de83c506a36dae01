"""The picture of the proof suite."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.publish.proof_plot import proof_plot, write_proof_plot
from tests.benchmarks.suites.test_proof import ROW


def test_the_same_rows_make_the_same_file(tmp_path: Path) -> None:
    """An SVG under version control changes when its numbers do; without valid rows nothing is drawn."""
    first, second = (write_proof_plot([ROW], tmp_path / name) for name in ("a.jsonl", "b.jsonl"))
    assert first is not None
    assert second is not None
    assert first.name == "a.svg"
    assert first.read_text() == second.read_text()
    assert write_proof_plot([replace(ROW, valid=False)], tmp_path / "c.jsonl") is None


def test_what_was_not_measured_has_no_point() -> None:
    """Four series; that of what is called wrong is empty here."""
    (axes,) = proof_plot([ROW]).axes
    assert [np.size(line.get_xdata()) for line in axes.get_lines()] == [1, 1, 0, 1]
