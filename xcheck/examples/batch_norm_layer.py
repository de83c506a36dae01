"""A layer written by hand: batch normalisation with a cache, as one writes it to learn backpropagation.

What one learns: `xcheck.layer(forward, backward)` checks the gradient of every argument, that of the input as well.
The mean and the variance depend on all examples, so the gradient of x has three terms: the upstream gradient, its mean,
and x̂ times the mean of x̂ times it. `buggy` takes the statistics for constants: the gradients of gamma and beta are
right, and a network above it would still learn; the one below it would not.
"""

from typing import Any

import numpy as np

import xcheck


def forward(x: Any, gamma: Any, beta: Any, options: Any) -> Any:
    """Return γ x̂ + β and the cache; `options` holds `eps`, which is added to the variance."""
    centred = x - x.mean(axis=0)
    deviation = np.sqrt(np.square(centred).mean(axis=0) + options["eps"])
    normalised = centred / deviation
    return gamma * normalised + beta, (normalised, gamma, deviation)


def backward(dout: Any, cache: Any) -> Any:
    """Return the gradients of x, gamma and beta."""
    normalised, gamma, deviation = cache
    up = dout * gamma
    x = (up - up.mean(axis=0) - normalised * (up * normalised).mean(axis=0)) / deviation
    return x, (dout * normalised).sum(axis=0), dout.sum(axis=0)


def backward_of_constants(dout: Any, cache: Any) -> Any:
    """Return the same as if mean and variance did not depend on x."""
    normalised, gamma, deviation = cache
    return dout * gamma / deviation, (dout * normalised).sum(axis=0), dout.sum(axis=0)


def checked(backward_pass: Any) -> xcheck.Case:
    """Return the layer at a random point."""
    rng = np.random.default_rng(0)
    params = (rng.normal(2.0, 3.0, size=(8, 5)), rng.normal(1.0, 0.2, size=5), rng.normal(size=5))
    return xcheck.Case(objectives=xcheck.layer(forward, backward_pass), params=params, data=({"eps": 1e-5},))


@xcheck.case
def right() -> xcheck.Case:
    """All three terms."""
    return checked(backward)


@xcheck.case
def buggy() -> xcheck.Case:
    """The statistics are taken for constants."""
    return checked(backward_of_constants)
