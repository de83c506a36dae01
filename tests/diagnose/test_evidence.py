"""When a hypothesis explains a residual: down to the noise, to a tenth of it, and not by chance."""

from dataclasses import replace

import numpy as np
import pytest

from tests.diagnose.rules.conftest import W, evidence_of
from xcheck.diagnose import Hypothesis, explains
from xcheck.diagnose.evidence import Share, closest, fit, multiples

MANY = W.ravel()


def test_a_gradient_that_is_predicted_is_explained() -> None:
    """And one that is off by a millionth is not."""
    evidence = evidence_of({"w": 2 * MANY}, {"w": MANY})
    assert explains(evidence, Hypothesis("XC201", "", {"w": 2 * MANY}))
    assert not explains(evidence, Hypothesis("XC201", "", {"w": 2 * (1 + 1e-6) * MANY}))
    assert not explains(evidence, Hypothesis("XC201", "", {}))


def test_what_leaves_the_residual_as_it_is_explains_nothing() -> None:
    """However wide the noise: here it covers the whole residual."""
    precise = evidence_of({"w": MANY + 1e-3}, {"w": MANY})
    noisy = replace(precise, uncertainty=np.full(len(MANY), 1.0))
    assert not explains(noisy, Hypothesis("XC201", "", {"w": MANY}))


@pytest.mark.parametrize(("size", "explained"), [(2, False), (3, True)])
def test_a_line_through_two_points_explains_nothing(size: int, *, explained: bool) -> None:
    """One number was fitted: three components are the least."""
    evidence = evidence_of({"w": 2 * MANY[:size]}, {"w": MANY[:size]})
    assert explains(evidence, Hypothesis("XC201", "", {"w": 2 * MANY[:size]}, free=1)) is explained


def test_one_factor_is_tried_in_every_tensor() -> None:
    """The scalar fits with any factor; it goes with that of the larger tensor."""
    one = np.array([3.0])
    evidence = evidence_of({"w": 2 * MANY, "s": 2 * one}, {"w": MANY, "s": one})
    uncertainties = {"w": np.full(len(MANY), 1e-12), "s": np.full(1, 1e-12)}
    shares = {name: Share(base, 0 * base, uncertainties[name]) for name, base in (("w", MANY), ("s", one))}
    ((factor, group),) = multiples(evidence, shares)
    assert factor == pytest.approx(2.0)
    assert set(group) == {"w", "s"}


def test_coefficients_are_unique_or_none() -> None:
    """Two equal columns have none."""
    weight = np.full(len(MANY), 1e-3)
    found = fit(2 * MANY + 3, MANY, np.ones_like(MANY), weight=weight)
    assert found is not None
    assert np.allclose(found, [2.0, 3.0])
    assert fit(MANY, MANY, 2 * MANY, weight=weight) is None
    assert fit(MANY, np.full_like(MANY, np.nan), weight=weight) is None


def test_a_known_number_is_the_closest_one() -> None:
    """Of several that are near."""
    known = {1.0: "one", 1.0 + 1e-7: "a little more"}
    assert closest(1.0 + 9e-8, known, 1e-6) == 1.0 + 1e-7
    assert closest(1.1, known, 1e-6) is None
