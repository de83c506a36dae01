"""The loop engine of a network: the losses of the witness, in the precision that is asked for."""

import numpy as np
import pytest

from tests.oracle.conftest import exact
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.testing import scenario


@pytest.mark.parametrize(("dtype", "accuracy"), [(np.float64, 1e-7), (np.longdouble, 1e-9)])
def test_slopes_are_as_accurate_as_the_precision_allows(dtype: type[np.floating], accuracy: float) -> None:
    """Whatever is computed inside, float64 comes out."""
    if dtype is np.longdouble and np.finfo(np.longdouble).eps == np.finfo(np.float64).eps:
        pytest.skip("longdouble is no longer than float64 here")
    problem = scenario(20)
    engine, indices = NetworkLoopEngine(problem, dtype=dtype), np.array([0, 5, 3])
    step = (2.0**-20 if dtype is np.float64 else 2.0**-24) * engine.scale[indices]
    found = engine.differences(indices, step, -step)
    assert found.slope.dtype == found.conventions.dtype == np.float64
    np.testing.assert_allclose(found.slope, exact(problem)[indices], atol=accuracy * np.abs(exact(problem)).max())


def test_no_components_no_differences() -> None:
    """As many variants as ever."""
    problem = scenario(0)
    engine, nothing = NetworkLoopEngine(problem), np.zeros(0)
    spans = engine.spans(np.zeros(0, dtype=np.intp), nothing, nothing)
    assert spans.conventions.shape == (engine.branches.variants, 0)
