"""Numbers in the wrong places, or missing there: each order is found, and rows are named as an index names them."""

import numpy as np
import pytest

from tests.diagnose.rules.conftest import K, V, W, causes, evidence_in_network, evidence_of, texts
from xcheck import check
from xcheck.diagnose.rules.order import (
    detachment,
    few_components,
    missing_part,
    reordering,
    scaled_part,
    swapped_tensors,
    transposition,
)
from xcheck.layout import Vector
from xcheck.networks.problem import Problem


def without(array: Vector, axis: int, place: int, factor: float = 0.0) -> Vector:
    """Return the array with one slice multiplied."""
    scale = np.ones(array.shape)
    np.moveaxis(scale, axis, 0)[place] = factor
    return array * scale


@pytest.mark.parametrize(
    ("axis", "place", "text"),
    [
        (0, 2, "K[2, :, :] is missing: it is zero"),
        (1, 4, "K[:, 4, :] is missing: it is zero"),
        (2, 1, "K[:, :, 1] is missing: it is zero"),
    ],
)
def test_slices_of_three_axes_are_named_as_an_index_names_them(axis: int, place: int, text: str) -> None:
    """No "column 4" of what has no columns."""
    evidence = evidence_of({"K": without(K, axis, place)}, {"K": K})
    assert texts(evidence, missing_part(evidence)) == [text]
    scaled = evidence_of({"K": without(K, axis, place, -1.0)}, {"K": K})
    (said,) = texts(scaled, scaled_part(scaled))
    assert said.startswith(text.replace("missing: it is zero", "-1 x what it should be (the opposite sign)"))


def test_rows_and_columns_of_a_matrix_keep_their_names() -> None:
    """Two columns are named together; no penalty is spoken of where there is none."""
    gradient = without(without(V, 1, 0), 1, 2)
    evidence = evidence_of({"V": gradient}, {"V": V})
    assert texts(evidence, missing_part(evidence)) == ["columns 0, 2 are missing: they are zero"]


def test_a_row_that_holds_the_penalty_alone_says_so() -> None:
    """The data's share is missing, and the penalty is there."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        theta = problem.layout.unflatten(problem.theta)["W1"]
        gradient["W1"][0] = problem.network.l2 / problem.examples * theta[0]

    evidence = evidence_in_network(spoil, l2=0.7)
    assert texts(evidence, missing_part(evidence)) == ["row 0 is missing: it is the penalty alone"]


def test_a_gradient_of_zeros_is_detached() -> None:
    """And a part of it is not."""
    evidence = evidence_of({"W": 0 * W}, {"W": W})
    (said,) = texts(evidence, detachment(evidence))
    assert said.startswith("the gradient is zero, and the loss changes with it: it is detached")
    part = evidence_of({"W": without(W, 0, 1)}, {"W": W})
    assert texts(part, detachment(part)) == []


def test_axes_are_swapped() -> None:
    """In a square matrix, and in memory where the shape is not square."""
    square = evidence_of({"W": W.T.copy()}, {"W": W})
    assert texts(square, transposition(square)) == ["transposed"]
    wide = evidence_of({"V": V.T.reshape(V.shape)}, {"V": V})
    assert texts(wide, transposition(wide)) == ["transposed, then taken for shape (3, 4) in memory order"]


@pytest.mark.parametrize(
    ("gradient", "text"),
    [
        (W[[1, 0, 2, 3]], "rows 0 and 1 are swapped"),
        (W[:, ::-1], "its columns are in reverse order"),
        (np.roll(W, 1, axis=0), "its rows are rolled by 1"),
        (np.roll(W, 2), "rolled by 2 as one long row"),
        (W.ravel()[::-1].reshape(W.shape), "reversed as one long row"),
    ],
)
def test_an_order_is_found_by_what_is_in_the_rows(gradient: Vector, text: str) -> None:
    """Each with its name."""
    evidence = evidence_of({"W": gradient}, {"W": W})
    assert text in texts(evidence, reordering(evidence))


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ([0, 3, 2, 1, 4], "slices 1 and 3 along axis 1 are swapped"),
        ([4, 3, 2, 1, 0], "its slices along axis 1 are in reverse order"),
        ([3, 4, 2, 0, 1], "slices 0 to 1 and 3 to 4 along axis 1 are swapped"),
        ([0, 2, 3, 1, 4], "its slices along axis 1 are in another order (3 of 5 moved)"),
    ],
)
def test_an_order_along_any_axis_is_found(order: list[int], text: str) -> None:
    """Of slices that are no rows; blocks that have changed places are named by where they begin and end."""
    evidence = evidence_of({"K": K[:, order]}, {"K": K})
    assert texts(evidence, reordering(evidence)) == [text]
    turned = np.swapaxes(K, 1, 2)
    last = evidence_of({"K": turned[:, :, order]}, {"K": turned})
    assert texts(last, reordering(last)) == [text.replace("axis 1", "axis 2")]


def test_two_tensors_have_each_others_gradient() -> None:
    """Tensors of one shape."""
    evidence = evidence_of({"A": W.T.copy(), "B": W}, {"A": W, "B": W.T.copy()})
    assert texts(evidence, swapped_tensors(evidence)) == ["each has the other's gradient"]


def test_a_few_components_are_described_and_many_are_not() -> None:
    """One of sixteen is an accident; half of them are not."""
    gradient = W.copy()
    gradient[2, 1] *= 2
    evidence = evidence_of({"W": gradient}, {"W": W})
    assert texts(evidence, few_components(evidence)) == ["only W[2, 1] is wrong (2 x), all else of it is right"]
    many = evidence_of({"W": W * np.where(np.arange(16) < 8, 1, 2).reshape(4, 4)}, {"W": W})
    assert texts(many, few_components(many)) == []


def test_what_is_wrong_elsewhere_is_not_called_right() -> None:
    """What stands alone does so where everything else is right, and there is something else."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 60))
    limit = float(np.median(np.abs(3 * x**2)))
    report = check(
        lambda x: float((x**3).sum()),
        x,
        gradient=lambda x: np.clip(3 * x**2, -limit, limit),
        scope="sample",
        budget=1e-3,
    )
    assert "XC233" not in causes(report)


def test_a_detached_gradient_is_not_stale() -> None:
    """Zero at every θ is zero for another reason."""
    report = check(lambda x: float((x**2).sum()), np.array([1.0, 2.0]), gradient=lambda x: 0.0 * x)
    assert [finding.code for finding in report.findings] == ["XC231"]
