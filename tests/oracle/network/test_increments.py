"""Addition theorems: they are the differences themselves, to the last digits, and not derivatives."""

from typing import Any

import jax
import numpy as np
import pytest

from xcheck.layout import Vector
from xcheck.networks.network import ACTIVATIONS, LOSSES, ActivationName, LossName
from xcheck.oracle.network import elementary
from xcheck.oracle.network import increments as moves
from xcheck.oracle.network.forward import LOSSES as LOSS_FUNCTIONS
from xcheck.oracle.network.forward import NUMPY, PIECEWISE, evaluate_branch

EPS = float(np.finfo(np.float64).eps)


@pytest.fixture(autouse=True)
def _float64() -> Any:
    with jax.enable_x64(True):
        yield


def grid() -> tuple[Vector, Vector]:
    """Pre-activations up to ±30, and moves of every size that is called short there, shape (60, 1) and (60, 200)."""
    rng = np.random.default_rng(0)
    z = np.concatenate([np.linspace(-30, 30, 41), 3 * rng.standard_normal(19)])[:, None]
    sizes = 2.0 ** rng.uniform(-40, 0, (60, 200)) * elementary.SHORT / (1 + np.abs(z))
    return z, sizes * rng.choice([-1.0, 1.0], sizes.shape)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_moves_of_activations(name: ActivationName) -> None:
    """g(z + δ) − g(z), against subtraction in extended precision."""
    z, delta = grid()
    for branch in (np.zeros_like(z), np.ones_like(z)) if name in PIECEWISE else (None,):
        if name == "elu" and branch is not None and not branch.any():
            z = np.minimum(z, 0.0)  # the left branch is met at z <= 0
        point = moves.expand_at(name, z, branch)
        found = np.asarray(moves.activation_increment(name, point, jax.numpy.asarray(delta), short=True))
        wide, step = z.astype(np.longdouble), delta.astype(np.longdouble)
        exact = evaluate_branch(NUMPY, name, wide + step, branch) - evaluate_branch(NUMPY, name, wide, branch)
        # What subtraction costs even there, and what gelu and silu lose where their slope changes its sign.
        cost = np.finfo(np.longdouble).eps * (np.abs(wide) + 1)
        own = 16 * EPS * (np.abs(exact) + (np.abs(delta) if name in ("gelu", "silu") else 0.0))
        assert (np.abs(found - exact) <= own + 4 * cost).all()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("outputs", [1, 3, 40])
@pytest.mark.parametrize("soft", [False, True])
def test_moves_of_losses(name: LossName, outputs: int, soft: bool) -> None:
    """L(z + δ) − L(z) for few and for many outputs, hard and soft targets, all outputs moving or one alone."""
    rng = np.random.default_rng(outputs)
    z = 5 * rng.standard_normal((outputs, 30))
    y = rng.random((outputs, 30)) if soft else np.eye(outputs)[rng.integers(0, outputs, 30)].T
    if name == "softmax_cross_entropy":
        y = y / y.sum(axis=0)
    delta = elementary.SHORT / 2 * rng.uniform(-1, 1, z.shape)
    alone = np.where(np.arange(outputs)[:, None] == outputs // 2, delta, 0.0)
    point = moves.expand_loss_at(name, z, y)
    loss = LOSS_FUNCTIONS[name]

    def subtracted(moved: Vector) -> Any:
        wide, targets = z.astype(np.longdouble), y.astype(np.longdouble)
        return loss(NUMPY, (wide + moved).T, targets.T) - loss(NUMPY, wide.T, targets.T)

    everywhere = moves.loss_increment(name, point, lambda k: jax.numpy.asarray(delta)[k], short=True)
    single = point.map(lambda part: part[outputs // 2])
    one = moves.loss_increment_of_one(name, single, jax.numpy.asarray(delta[outputs // 2]))
    for found, move in ((everywhere, delta), (one, alone)):
        bound = 64 * EPS * (np.abs(move) * (1 + np.abs(z))).sum(axis=0) + 1e-17
        assert (np.abs(np.asarray(found) - subtracted(move)) <= bound).all()
