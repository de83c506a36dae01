"""The nodes of losses in JAX: differences along them, pulled back, are the gradient."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.backends.xcheck_jax.losses_to_follow import LOSSES, WEIGHTS
from xcheck.trace import UntraceableError
from xcheck_jax.nodes.moved import JaxNodes
from xcheck_jax.settings import own_settings

X = np.cos(np.arange(24.0)).reshape(6, 4)


def nodes_of(loss: Any, weights: Any = WEIGHTS) -> JaxNodes:
    """The nodes of a loss of one array."""
    device = jax.devices("cpu")[0]
    with own_settings(device):
        parameters = {"w": jnp.asarray(weights)}
        closed = jax.make_jaxpr(loss)(parameters["w"])

    def flat(parts: Any) -> Any:
        return np.zeros(np.size(weights)) if parts["w"] is None else np.ravel(parts["w"])

    return JaxNodes(closed, parameters, flat, device)


def slopes_along(nodes: JaxNodes, step: float = 1e-5) -> Any:
    """Central differences along all nodes, one site after the other."""
    found, start = np.empty(len(nodes.values)), 0
    for site in nodes.sites:
        own = np.arange(start, start + int(np.prod(site.shape)))
        moves = np.full(len(own), step)
        found[own] = (nodes.losses(own, moves) - nodes.losses(own, -moves)) / (2 * step)
        start += len(own)
    return found


def test_differences_are_pulled_back_to_the_gradient() -> None:
    """Nodes are fewer than weights, and each is moved once."""
    weights = np.sin(np.arange(160.0)).reshape(4, 40)

    def loss(w: Any) -> Any:
        return jnp.mean(jnp.tanh(X[:2] @ w) ** 2) + 0.5 * jnp.sum(w**2)

    nodes = nodes_of(loss, weights)
    assert len(nodes.values) == 81
    assert nodes.covered.all()
    found = nodes.pull(slopes_along(nodes))
    with own_settings(jax.devices("cpu")[0]):
        expected = np.ravel(jax.grad(loss)(jnp.asarray(weights)))
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert (nodes.pull_sizes(np.abs(slopes_along(nodes))) >= np.abs(found) - 1e-12).all()
    assert nodes.passes == 4 * 81
    assert 0 < nodes.work < 160


def test_several_rows_are_pulled_back_at_once() -> None:
    """Whatever their number."""
    weights = np.sin(np.arange(160.0)).reshape(4, 40)
    nodes = nodes_of(lambda w: jnp.mean(jnp.tanh(X[:2] @ w) ** 2), weights)
    rows = np.cos(np.arange(11.0 * len(nodes.values))).reshape(11, -1)
    found = nodes.pull(rows)
    assert found.shape == (11, 160)
    np.testing.assert_allclose(found[9], nodes.pull(rows[9]), atol=1e-12)


@pytest.mark.parametrize("name", list(LOSSES))
def test_kinds_of_losses(name: str) -> None:
    """Where there are nodes, they give the slopes of the components; where there are none, a sentence says so."""
    try:
        nodes = nodes_of(LOSSES[name])
    except UntraceableError as error:
        assert str(error)  # noqa: PT017 - either is right
        return
    with own_settings(jax.devices("cpu")[0]):
        # Not what JAX says: a loss moves behind a `stop_gradient`, too.
        steps = 1e-5 * np.eye(16).reshape(16, 4, 4)
        losses = jax.jit(jax.vmap(LOSSES[name]))
        expected = np.asarray(losses(WEIGHTS + steps) - losses(WEIGHTS - steps)) / 2e-5
    found = nodes.pull(slopes_along(nodes))
    largest = np.abs(expected).max()
    np.testing.assert_allclose(found[nodes.covered], expected[nodes.covered], atol=1e-5 * largest)


def test_what_is_narrow_is_refused() -> None:
    """Moves of its nodes would be rounded."""
    with pytest.raises(UntraceableError, match="computes in float32"):
        nodes_of(lambda w: jnp.sum(jnp.tanh(w.astype("float32"))).astype("float64"))
    with pytest.raises(UntraceableError, match="fewer values"):
        nodes_of(lambda w: jnp.sum(jnp.exp(w)))
