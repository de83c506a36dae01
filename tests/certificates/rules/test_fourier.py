"""The rule of the transform against sums with roots of unity of 150 digits."""

import numpy as np
import pytest
from mpmath import mp, mpf

from tests.certificates.rules.reference import BITS, DIGITS, along, apply, assert_encloses, bent
from xcheck.certificates.balls import Balls, in_balls
from xcheck.certificates.slopes import at_precision


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 12])
def test_transforms(length: int, inverse: bool) -> None:
    """Both parts and their slopes, at ordinary, huge and tiny numbers; lengths with several prime factors and none."""
    rng = np.random.default_rng(length)
    scales = np.array([[1.0], [1e200], [1e-200]])
    re, im, v, u = (rng.normal(size=(3, length)) * scales for _ in range(4))
    with at_precision(BITS), mp.workdps(DIGITS):
        found = apply("dft", along(re, v), along(im, u), attributes={"inverse": inverse})
        slopes = [one.slopes[0] for one in found]
        roots = [mp.expjpi(mpf(2 * number if inverse else -2 * number) / length) for number in range(length)]
        for row in range(3):
            for k in range(length):
                for parts, picked in (((re, im), [one.values for one in found]), ((v, u), slopes)):
                    terms = zip(parts[0][row], parts[1][row], strict=True)
                    total = mp.fsum(mp.mpc(x, y) * roots[j * k % length] for j, (x, y) in enumerate(terms))
                    for one, reference in zip(picked, (total.real, total.imag), strict=True):
                        assert_encloses(in_balls(one)[row, k], reference, (length, inverse, k))


def test_rows_move_by_themselves() -> None:
    """A row of which nothing moves does not, whatever moves in another one."""
    moving = np.array([[True, False], [False, False]])
    re = Balls(np.ones((2, 2)), (np.ones((2, 2)) * moving,), moving)
    found = apply("dft", re, Balls(np.zeros((2, 2))), attributes={"inverse": False})
    for one in found:
        assert one.where_moving().tolist() == [[True, True], [False, False]]


def test_second_coefficients_are_transformed() -> None:
    """As the values are; what is not known of one number is not known of its row."""
    re = bent([[1.0, 2.0]], [[1.0, 1.0]], [[3.0, 5.0]])
    found, _ = apply("dft", re, Balls(np.zeros((1, 2))), attributes={"inverse": False})
    assert [float(one) for one in found.seconds[0][0]] == [8.0, -2.0]


def test_constants_have_no_slopes() -> None:
    """Nor do they move."""
    found, _ = apply("dft", Balls(np.ones((1, 2))), Balls(np.zeros((1, 2))), attributes={"inverse": True})
    assert found.slopes is None
