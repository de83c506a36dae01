"""Plots in plain characters."""

import math

import pytest

from xcheck.report.plot import plot_losses, plot_points
from xcheck.training.curves import LossPoint


def point(step: int, training: float, validation: float) -> LossPoint:
    """Losses after so many steps."""
    return LossPoint(
        step=step,
        cost=training,
        training_loss=training,
        validation_loss=validation,
        training_error=0.0,
        validation_error=0.0,
    )


def test_a_level_is_a_line_unless_it_is_far_away() -> None:
    """A hundredth of the smallest value is too far: it would flatten the plot."""
    points = [(1e-3, 1e-4), (1e-2, 1e-5), (1e-1, 1e-3)]
    assert "  1e-06 |---------" in plot_points(points, level=1e-6, columns=9)
    assert not any("|-" in line for line in plot_points(points, level=1e-9, columns=9))


def test_nothing_to_draw_is_no_plot() -> None:
    """Zeros and numbers that are not finite have no logarithm."""
    assert plot_points([(0.1, 0.0), (0.2, math.nan), (0.3, math.inf)], level=0, columns=9) == []


def test_losses_have_a_letter_each() -> None:
    """t and v, * where both are; the largest loss is on the top line, the least at the bottom."""
    title, *lines, axis, ends = plot_losses([point(0, 1.0, 1.0), point(5, 0.5, 0.75), point(10, 0.0, 0.5)], 11)
    assert title.startswith("loss: t training, v validation")
    assert lines[0] == "        1 |*"
    assert lines[-1] == "        0 |          t"
    assert sum(line.count("v") for line in lines) == 2
    assert axis == " " * 10 + "+" + "-" * 11
    assert ends.split() == ["0", "10"]


def test_losses_that_are_not_finite_are_left_out() -> None:
    """All of them, if need be."""
    nothing = plot_losses([point(0, math.nan, math.inf), point(1, math.inf, 1e305)], 11)
    assert nothing == ["loss: not finite, or above 1e+300"]
    assert any(line.endswith("|*") for line in plot_losses([point(0, 1.0, 1.0), point(1, math.nan, math.inf)], 11))


@pytest.mark.parametrize("loss", [0.0, 0.5, -1e17, 1e17, 9e299])
def test_a_constant_loss_is_a_line_at_the_bottom(loss: float) -> None:
    """However large it is, and beside a loss that is too large to draw."""
    _, *lines, _, _ = plot_losses([point(0, loss, loss), point(5, 1e305, -1e305), point(10, loss, loss)], 11)
    assert lines[-1].endswith("|*         *")
    assert not any("*" in line for line in lines[:-1])
