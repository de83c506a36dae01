"""What is traced around a person's loss."""

import jax
import jax.numpy as jnp
import numpy as np

from xcheck_jax.traceable import contract, jacobian_rows, split_arrays


def test_the_rows_of_a_jacobian() -> None:
    """More than are computed at a time, each times the weight."""
    params, x = {"c": jnp.array([0.5, 2.0])}, jnp.linspace(0.0, 1.0, 130)
    values, rows = jacobian_rows(lambda p, data: p["c"][0] * data[0] ** 2 + p["c"][1], -2.0)(params, (x,))
    np.testing.assert_allclose(values, 0.5 * x**2 + 2, rtol=1e-6)
    np.testing.assert_allclose(rows["c"], -2 * np.stack([x**2, np.ones(130)], axis=1), rtol=1e-6)


def test_an_array_becomes_a_number() -> None:
    """Re Σ v̄ y with complex weights too; without them one number stays, and an array stays an array."""
    y = jnp.array([1.0 + 2.0j, 3.0])
    assert float(contract(y, jnp.array([1.0j, 2.0]))) == 8.0
    assert contract(jnp.ones((1, 1)), None).shape == ()
    assert contract(y, None) is y


def test_arrays_of_the_data_are_exchanged() -> None:
    """What is no array of JAX stays."""
    arrays, whole = split_arrays((jnp.ones(2), {"name": "mine", "x": jnp.zeros(1)}))
    assert list(arrays) == ["0", "1.x"]
    put = whole({name: array + 1 for name, array in arrays.items()})
    assert put[1]["name"] == "mine"
    assert isinstance(put[1]["x"], jax.Array)
    assert float(put[0].sum()) == 4.0
