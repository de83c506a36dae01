"""Elementary functions of short arguments: series that lose no digit."""

from typing import Any

import jax
import numpy as np
import pytest

from xcheck.oracle.network import elementary

EPS = float(np.finfo(np.float64).eps)


@pytest.fixture(autouse=True)
def _float64() -> Any:
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", ["expm1", "tanh", "log1p"])
def test_short_elementary_functions(name: str) -> None:
    """To two units in the last place, up to the ends of their ranges."""
    limit = elementary.SHORT * (2 if name == "log1p" else 1)
    t = np.concatenate([np.linspace(-limit, limit, 4001), 10.0 ** np.arange(-300.0, -3)])
    exact = getattr(np, name)(t.astype(np.longdouble))
    error = np.abs(np.asarray(getattr(elementary, name)(jax.numpy.asarray(t))) - exact)
    assert (error <= 2 * EPS * np.abs(exact)).all()
