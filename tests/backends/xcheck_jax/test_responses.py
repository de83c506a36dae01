"""How what arrives at an operation changes when it reads other arrays."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck_jax.responses import (
    Arrays,
    Each,
    at_once,
    moved_outputs,
    one_by_one,
    response,
    responses_along,
    responses_to,
)
from xcheck_jax.settings import own_settings
from xcheck_jax.straight_line import Instruction, straight_line

X = np.array([0.5, -1.0, 2.0])
Y = np.array([1.0, 3.0, 0.25])
U = np.array([1.0, 2.0, -1.0])


def only(function: Any, *arguments: Any) -> Instruction:
    """The first operation of a function."""
    return straight_line(jax.make_jaxpr(function)(*arguments)).instructions[0]


def test_some_inputs_are_others() -> None:
    """The rest stays."""
    with own_settings(jax.devices("cpu")[0]):
        outputs = moved_outputs(only(jnp.subtract, X, Y), [1], [jnp.asarray(X), jnp.asarray(Y)], [2 * Y])
        assert np.asarray(outputs[0]) == pytest.approx(X - 2 * Y)


def test_moves_that_leave_the_domain_are_cut() -> None:
    """A matrix that has to be symmetric stays so."""
    with own_settings(jax.devices("cpu")[0]):
        a, move = 4 * np.eye(3), np.triu(np.ones((3, 3)))
        cholesky = only(lambda a: jax.lax.linalg.cholesky(a, symmetrize_input=False), a)
        outputs = moved_outputs(cholesky, [0], [jnp.asarray(a)], [jnp.asarray(a + move)])
        assert np.tril(outputs[0]) == pytest.approx(np.linalg.cholesky(a + (move + move.T) / 2))


@pytest.mark.parametrize("each", [one_by_one, at_once])
def test_the_change_is_weighted_with_what_arrives(each: Each) -> None:
    """⟨ȳ, f(x + t u) − f(x)⟩, and the same for many t, or moves."""
    with own_settings(jax.devices("cpu")[0]):
        arrays = Arrays([jnp.asarray(X)], [jnp.asarray(Y)], [jnp.sin(X)], [jnp.sin(X)])
        sine = (only(jnp.sin, X), [0])
        assert float(response(*sine, arrays, [U], 0.1)) == pytest.approx(float(Y @ (np.sin(X + 0.1 * U) - np.sin(X))))
        expected = [Y @ (np.sin(X + t * U) - np.sin(X)) for t in (0.1, -0.2)]
        moves = [np.array([0.1 * U, -0.2 * U])]
        assert np.asarray(responses_to(each, *sine, arrays, moves)) == pytest.approx(expected)
        found = responses_along(each, [sine, sine], np.array([0.1, -0.2]), [arrays, arrays], [[U], [0 * U]])
        assert np.asarray(found) == pytest.approx(np.transpose([expected, [0.0, 0.0]]))


def test_masks_of_infinity_do_no_harm() -> None:
    """What is infinite stays, and where nothing arrives nothing counts."""
    with own_settings(jax.devices("cpu")[0]):
        x, y = np.array([-np.inf, 1.0]), np.array([0.0, 2.0])
        arrays = Arrays([jnp.asarray(x)], [jnp.asarray(y)], [2 * jnp.asarray(x)], [2 * jnp.asarray(x)])
        twice = (only(lambda x: x * 2.0, x), [0])
        arrays = arrays._replace(given=[jnp.asarray(x), 2.0])
        assert float(response(*twice, arrays, [np.ones(2)], 0.5)) == pytest.approx(2.0)


def test_complex_numbers_move_by_pairs() -> None:
    """Re Σ ȳ (f(x + t u) − f(x)), ȳ as JAX has it."""
    with own_settings(jax.devices("cpu")[0]):
        x, y, u = X + 1j * Y, Y - 2j * X, U + 0.5j
        arrays = Arrays([jnp.asarray(x)], [jnp.asarray(y)], [jnp.sin(x)], [jnp.sin(x)])
        found = response(only(jnp.sin, x), [0], arrays, [np.stack([u.real, u.imag], axis=-1)], 0.1)
        assert float(found) == pytest.approx(float(np.real(y @ (np.sin(x + 0.1 * u) - np.sin(x)))))
