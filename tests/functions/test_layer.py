"""Layers as people write them who write backpropagation by hand: forward with a cache, backward of it."""

from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from xcheck.errors import DefinitionError
from xcheck.verdict import Verdict

RNG = np.random.default_rng(5)


def affine(x: Any, w: Any, b: Any) -> Any:
    """x W + b, of examples with any axes."""
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout: Any, cache: Any) -> Any:
    """Gradients of x, w and b."""
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(0)


AFFINE = (RNG.standard_normal((3, 2, 2)), RNG.standard_normal((4, 5)), RNG.standard_normal(5))


def batch_norm(x: Any, gamma: Any, beta: Any, options: Any) -> Any:
    """Over the examples; the options are no parameter."""
    centred = x - x.mean(0)
    deviation = np.sqrt((centred**2).mean(0) + options["eps"])
    normalised = centred / deviation
    return gamma * normalised + beta, (normalised, gamma, deviation)


def batch_norm_backward(dout: Any, cache: Any) -> Any:
    """By names, as many write them."""
    normalised, gamma, deviation = cache
    up = dout * gamma
    centred = up - up.mean(0) - normalised * (up * normalised).mean(0)
    return {"dx": centred / deviation, "dgamma": (dout * normalised).sum(0), "dbeta": dout.sum(0)}


NORM = (RNG.standard_normal((6, 3)), np.array([1.2, 0.7, 2.0]), RNG.standard_normal(3))


def lstm(x: Any, h: Any, c: Any, w: Any, u: Any, b: Any) -> Any:
    """One step: two outputs and a cache."""
    gates = x @ w + h @ u + b
    i, f, o = (1 / (1 + np.exp(-part)) for part in np.split(gates, 4, axis=1)[:3])
    g = np.tanh(np.split(gates, 4, axis=1)[3])
    cell = f * c + i * g
    return o * np.tanh(cell), cell, (x, h, c, w, u, i, f, o, g, cell)


def lstm_backward(dh: Any, dc: Any, cache: Any) -> Any:
    """One cotangent for each output."""
    x, h, c, w, u, i, f, o, g, cell = cache
    dc = dc + dh * o * (1 - np.tanh(cell) ** 2)
    gates = (dc * g * i * (1 - i), dc * c * f * (1 - f), dh * np.tanh(cell) * o * (1 - o), dc * i * (1 - g**2))
    back = np.concatenate(gates, axis=1)
    return back @ w.T, back @ u.T, dc * f, x.T @ back, h.T @ back, back.sum(0)


LSTM = tuple(RNG.standard_normal(shape) for shape in ((2, 3), (2, 4), (2, 4), (3, 16), (4, 16), (16,)))


@pytest.mark.parametrize(
    ("forward", "backward", "params", "data"),
    [
        (affine, affine_backward, AFFINE, ()),
        (batch_norm, batch_norm_backward, NORM, ({"eps": 1e-5},)),
        (lstm, lstm_backward, LSTM, ()),
    ],
    ids=["affine", "batch norm", "lstm"],
)
def test_right_layers(forward: Any, backward: Any, params: Any, data: Any) -> None:
    """The gradient of every argument is checked, that of the input as well, under the names of the signature."""
    report = xcheck.check(xcheck.layer(forward, backward), params, data)
    assert report.verdict is Verdict.AGREE, report
    assert report.verified == sum(part.size for part in params)
    assert report.model == forward.__name__


def without(backward: Any, place: int, mistake: Any) -> Any:
    """The backward pass with a mistake in one of its results."""

    def wrong(*arguments: Any) -> Any:
        returned = backward(*arguments)
        parts = list(returned.values() if isinstance(returned, dict) else returned)
        parts[place] = mistake(parts[place])
        return dict(zip(returned, parts, strict=True)) if isinstance(returned, dict) else tuple(parts)

    return wrong


@pytest.mark.parametrize(
    ("forward", "backward", "params", "data", "name"),
    [
        (affine, without(affine_backward, 0, lambda dx: dx[::-1]), AFFINE, (), "x["),
        (affine, without(affine_backward, 2, lambda db: db / 3), AFFINE, (), "b["),
        (batch_norm, without(batch_norm_backward, 1, lambda d: d * (1 + 1e-5)), NORM, ({"eps": 1e-5},), "gamma["),
        (lstm, without(lstm_backward, 2, lambda dc: dc * 1.001), LSTM, (), "c["),
    ],
    ids=["dx in another order", "db averaged", "dgamma", "dc"],
)
def test_wrong_layers(forward: Any, backward: Any, params: Any, data: Any, name: str) -> None:
    """The argument whose gradient is wrong is named."""
    report = xcheck.check(xcheck.layer(forward, backward), params, data)
    assert report.verdict is Verdict.DISAGREE
    assert f" {name}" in report.headline


def test_params_by_name_and_data_between_them() -> None:
    """What is not among the params is taken from data, in the order of the signature."""
    x, w, b = AFFINE
    report = xcheck.check(xcheck.layer(affine, lambda d, cache: affine_backward(d, cache)[1:]), {"w": w, "b": b}, (x,))
    assert report.ok, report
    assert report.verified == w.size + b.size


def test_a_layer_of_torch() -> None:
    """Written by hand in tensors."""
    params = tuple(torch.tensor(part) for part in AFFINE)
    assert xcheck.check(xcheck.layer(affine, affine_backward, "torch"), params).ok


@pytest.mark.parametrize(
    ("forward", "backward", "words"),
    [
        (lambda x, w, b: x, affine_backward, "expected a tuple of the output and the cache"),
        (affine, lambda d, cache: (d, d), "backward returns 2 arrays; params are x, w, b"),
        (
            affine,
            lambda d, cache: {"weights": d},
            "backward returns a dict with weights; expected gradients of x, w, b",
        ),
    ],
    ids=["no cache", "two arrays", "other names"],
)
def test_layers_that_do_not_fit(forward: Any, backward: Any, words: str) -> None:
    """One sentence says what came and what was expected."""
    try:
        text = str(xcheck.check(xcheck.layer(forward, backward), AFFINE))
    except DefinitionError as error:
        text = str(error)
    assert words in " ".join(text.split())


def test_what_is_no_layer() -> None:
    """It is refused when it is declared."""
    with pytest.raises(DefinitionError, match="expected a function"):
        xcheck.layer(affine, None)  # type: ignore[arg-type]  # what is tried
    with pytest.raises(DefinitionError, match="does not tell what its arguments are called"):
        xcheck.layer(min, affine_backward)
    with pytest.raises(DefinitionError, match="no argument v"):
        xcheck.check(xcheck.layer(affine, affine_backward), {"v": AFFINE[0]})
    with pytest.raises(DefinitionError, match="4 arrays came"):
        xcheck.check(xcheck.layer(affine, affine_backward), (*AFFINE, AFFINE[0]))
