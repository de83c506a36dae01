"""Checks by nodes: every component of a function is looked at, by far fewer losses than there are components."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck.oracle.nodes import measurement

X = np.cos(np.arange(40.0)).reshape(2, 20)
TARGETS = np.array([1, 0])


def loss(params: Any) -> Any:
    """A network of two layers with a penalty."""
    hidden = jnp.tanh(X @ params["W1"] + params["b1"])
    logits = hidden @ params["W2"] + params["b2"]
    data = -jnp.mean(jax.nn.log_softmax(logits)[np.arange(2), TARGETS])
    return data + 0.01 * (jnp.sum(params["W1"] ** 2) + jnp.sum(params["W2"] ** 2))


def parameters() -> dict[str, Any]:
    """1,356 components."""
    rng = np.random.default_rng(0)
    shapes = {"W1": (20, 50), "b1": (50,), "W2": (50, 6), "b2": (6,)}
    return {name: rng.normal(size=shape) / 4 for name, shape in shapes.items()}


@pytest.fixture(autouse=True)
def _however_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use nodes for losses of microseconds, too."""
    monkeypatch.setattr(measurement, "_WORTHWHILE", 0.0)


def test_every_component_is_checked_by_nodes() -> None:
    """The report says by what, and how many were audited."""
    report = xcheck.check(loss, parameters(), backend="jax", scope="all")
    assert report.verdict.name == "AGREE"
    assert report.oracle.engine.startswith("jax: nodes (113 values at 3 operations")
    assert report.oracle.audits[0].passed
    assert report.oracle.scope == "all"
    assert report.verified == report.parameters == 1356
    assert report.oracle.evaluations < 2000


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_a_millionth_in_one_component_is_found(name: str) -> None:
    """Of the largest of its tensor, wherever it is."""

    def gradient(params: Any) -> Any:
        found = {key: np.array(part) for key, part in jax.grad(loss)(params).items()}
        found[name].flat[found[name].size // 2 + 1] += 1e-6 * np.abs(found[name]).max()
        return found

    report = xcheck.check(loss, parameters(), backend="jax", scope="all", gradient=gradient)
    (pair,) = [pair for pair in report.pairs if pair.b == "oracle"]
    assert "nodes" in report.oracle.engine
    assert pair.wrong == 1
    assert pair.worst[0].location.name == name


def test_what_has_no_nodes_says_why() -> None:
    """All components are moved themselves."""
    report = xcheck.check(lambda w: jnp.sum(jnp.exp(w)), np.zeros(1200), backend="jax", scope="all")
    assert report.ok
    assert "(no nodes: no parameter acts on fewer values than it has components)" in report.oracle.engine


def test_a_kink_at_a_node_is_left_to_the_components() -> None:
    """A unit of a relu whose input is zero in one example: its weights are moved themselves."""
    params = parameters()
    params["W1"][:, 7] -= X[0] * (X[0] @ params["W1"][:, 7]) / (X[0] @ X[0])
    params["b1"][7] = -X[0] @ params["W1"][:, 7]

    def rectified(params: Any) -> Any:
        return jnp.mean((jax.nn.relu(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]) ** 2)

    report = xcheck.check(rectified, params, backend="jax", scope="all")
    assert report.verdict.name == "AGREE"
    assert "jax: nodes (101 values at 2 operations, and " in report.oracle.engine


def test_iterations_of_a_loop_have_nodes_of_their_own() -> None:
    """Weights of a recurrent network that are used in each of three steps."""
    rng = np.random.default_rng(0)
    params = {"U": rng.normal(size=(40, 40)) / 8, "V": rng.normal(size=(2, 40))}

    def recurrent(params: Any) -> Any:
        def step(state: Any, row: Any) -> Any:
            return jnp.tanh(state @ params["U"] + row @ params["V"]), None

        last, _ = jax.lax.scan(step, jnp.zeros(40), np.cos(np.arange(6.0)).reshape(3, 2))
        return jnp.sum(last**2)

    report = xcheck.check(recurrent, params, backend="jax", scope="all")
    assert report.verdict.name == "AGREE"
    assert "jax: nodes (120 values at 3 operations" in report.oracle.engine
