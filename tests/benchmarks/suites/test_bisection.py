"""The benchmark of the bisection: its gradient is right, and its counting notices what is not found."""

import numpy as np
import pytest

import xcheck
from benchmarks.suites import bisection
from benchmarks.suites.bisection import Network, bisection_table, trial


@pytest.mark.parametrize("relu", [False, True])
def test_the_gradient_by_hand_is_right(relu: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Component by component, on a smaller network."""
    monkeypatch.setattr(bisection, "WIDTHS", (5, 4, 3))
    network = Network.drawn(0, relu=relu)
    assert xcheck.check(network.loss, network.params, gradient=network.gradient, scope="all").ok


def test_what_is_not_found_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error far below what could be seen is missed, and said to be."""
    monkeypatch.setattr(bisection, "WIDTHS", (20, 10, 3))
    network = Network.drawn(0, relu=False)
    assert trial(network, 0, 2, 1.0).good
    assert not trial(network, 0, 1, 1e-12).good
    assert trial(network, 0, 0, 0.0).losses <= 40


def test_the_table_has_a_line_for_each_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both activations, none to three planted, two sizes."""
    monkeypatch.setattr(bisection, "WIDTHS", (20, 10, 3))
    table = bisection_table(1, lambda text: None)
    assert table.row_count == 14
    assert np.all([cell == "1 of 1" for cell in table.columns[3].cells])
