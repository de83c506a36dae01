"""erfc in extended precision, where scipy stops at float64."""

from typing import Any

import jax
import numpy as np
import pytest

from xcheck.oracle.network.erfc import erfc

EPS = float(np.finfo(np.float64).eps)


@pytest.fixture(autouse=True)
def _float64() -> Any:
    with jax.enable_x64(True):
        yield


def test_erfc_in_both_precisions() -> None:
    """float64 against longdouble, and both against values of the tables."""
    x = np.linspace(-5, 10, 1001)
    wide = erfc(x.astype(np.longdouble))
    assert (np.abs(erfc(x) - wide) <= 32 * EPS * (1 + x**2) * wide).all()
    assert erfc(np.array([0.5, 2.0], dtype=np.longdouble)).astype(float) == pytest.approx(
        [0.4795001221869535, 0.004677734981047266], rel=1e-15
    )


def test_what_is_no_ordinary_array() -> None:
    """Nothing, one number, and numbers that are not finite."""
    assert erfc(np.zeros((0, 3))).shape == (0, 3)
    assert erfc(np.array(0.0)).shape == ()
    assert erfc(np.array([np.inf, -np.inf, np.nan])).tolist() == pytest.approx([0.0, 2.0, np.nan], nan_ok=True)
