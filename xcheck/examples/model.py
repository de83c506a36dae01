"""A loss with a gradient written by hand, to be checked.

Run it with: python -m xcheck model.py

A loss in NumPy with a gradient written by hand, beside the same loss in JAX, which differentiates it itself. Both are
held against central differences in float64. Change a sign in `gradient` and run it again.
"""

import jax.numpy as jnp
import numpy as np

import xcheck


def loss(params, x, y):
    """½ mean ‖tanh(x W1 + b1) W2 − y‖², the first argument being what the gradient is taken with respect to."""
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    error = hidden @ params["W2"] - y
    return 0.5 * (error**2).sum() / len(x)


def gradient(params, x, y):
    """The backward pass: a dict like params, with an array of the same shape for each name."""
    hidden = np.tanh(x @ params["W1"] + params["b1"])
    error = (hidden @ params["W2"] - y) / len(x)
    delta = error @ params["W2"].T * (1 - hidden**2)
    return {"W1": x.T @ delta, "b1": delta.sum(axis=0), "W2": hidden.T @ error}


def jax_loss(params, x, y):
    """The same loss in JAX."""
    hidden = jnp.tanh(x @ params["W1"] + params["b1"])
    error = hidden @ params["W2"] - y
    return 0.5 * (error**2).sum() / len(x)


@xcheck.case
def regression():
    """One check. A file may offer several: python -m xcheck model.py::regression takes this one."""
    rng = np.random.default_rng(0)
    return xcheck.Case(
        objectives={
            "mine": xcheck.objective(loss, "numpy", gradient=gradient),
            "jax": xcheck.objective(jax_loss, "jax"),
        },
        # Any tree of arrays: the point at which the gradients are checked.
        params={
            "W1": rng.standard_normal((5, 4)),
            "b1": rng.standard_normal(4),
            "W2": rng.standard_normal((4, 2)),
        },
        # What comes after params in every call.
        data=(rng.standard_normal((20, 5)), rng.standard_normal((20, 2))),
        # Anything else that xcheck.check takes.
        settings={"tolerance": 1e-7},
    )
