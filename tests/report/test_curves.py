"""Charts of curves, as SVG."""

import re
from xml.etree import ElementTree as ET

import pytest

from xcheck.report.curves import draw_chart

SVG = "{http://www.w3.org/2000/svg}"
LOSSES = {"training": [(0.0, 1.0), (50.0, 0.5), (100.0, 0.25)], "validation": [(0.0, 1.1), (100.0, 0.6)]}


def drawn(svg: str) -> list[list[tuple[float, float]]]:
    """The points of every line; it must be well-formed."""
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    lines = [element.attrib["points"] for element in root.iter() if element.tag.endswith("polyline")]
    return [[(float(x), float(y)) for x, y in (point.split(",") for point in line.split())] for line in lines]


def labels(svg: str) -> list[str]:
    """The words."""
    return re.findall(r">([^<>\n]+)</text>", svg)


def test_lines_go_where_the_numbers_are() -> None:
    """From left to right; a smaller value is lower; halves are half way."""
    training, validation = drawn(draw_chart("loss", LOSSES))
    assert [x for x, _ in training] == sorted(x for x, _ in training)
    assert training[1][0] == pytest.approx((training[0][0] + training[2][0]) / 2)
    assert training[0][1] < training[1][1] < training[2][1]
    assert validation[0][1] < training[0][1]
    assert (training[2][1] - training[1][1]) * 2 == pytest.approx(training[1][1] - training[0][1], abs=0.3)


def test_everything_stays_inside() -> None:
    """Of the picture's 720 by 240."""
    for line in drawn(draw_chart("loss", LOSSES)):
        assert all(70 <= x <= 610 and 28 <= y <= 206 for x, y in line)


def test_logarithms_are_drawn_in_decades() -> None:
    """And what has none is left out."""
    svg = draw_chart("apart", {"torch": [(0.0, 0.0), (1.0, 1e-16), (2.0, 1e-14), (3.0, float("inf"))]}, log=True)
    assert len(drawn(svg)[0]) == 2
    assert {"1e-16", "1e-15", "1e-14"} <= set(labels(svg))


def test_what_is_not_finite_is_left_out() -> None:
    """And where nothing is left, nothing is drawn."""
    assert len(drawn(draw_chart("loss", {"J": [(0.0, 1.0), (1.0, float("nan")), (2.0, 3.0)]}))[0]) == 2
    assert draw_chart("loss", {"J": [(0.0, float("inf"))]}) == ""
    assert draw_chart("loss", {}) == ""
    assert draw_chart("loss", {"J": [(0.0, 1e308), (1.0, -1e308)]}) == ""


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-300, 9e299])
def test_a_constant_is_a_line(value: float) -> None:
    """Of any size."""
    ((_, first), (_, last)) = drawn(draw_chart("loss", {"J": [(0.0, value), (9.0, value)]}))[0]
    assert first == last


def test_one_point_is_a_chart() -> None:
    """Of a training that took no step."""
    assert drawn(draw_chart("loss", {"J": [(0.0, 1.0)]})) == [[(70.0, 117.0)]]


def test_lines_are_named_and_told_apart_without_colours() -> None:
    """In the legend, and by their dashes; names are escaped."""
    svg = draw_chart("a < b", {"<one>": [(0.0, 1.0)], "two": [(0.0, 2.0)]})
    assert {"&lt;one&gt;", "two", "a &lt; b"} <= set(labels(svg))
    dashes = re.findall(r'<polyline[^>]*stroke-dasharray="([^"]*)"', svg)
    assert len(set(dashes)) == len(dashes) == 2


def test_checks_are_marked() -> None:
    """By lines from top to bottom."""
    assert draw_chart("loss", LOSSES, marks=[0, 50]).count('stroke-dasharray="2 2"') == 2


def test_small_values_have_labels_of_their_own() -> None:
    """Losses of a training that has arrived: rounded to so many decimals, all labels would be 0."""
    words = labels(draw_chart("loss", {"J": [(0.0, 1e-14), (1.0, 5e-14)]}))
    assert {"1e-14", "2e-14", "5e-14"} <= set(words)
