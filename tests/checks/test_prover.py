"""Prover: slopes of one function, rounding of any gradient whose program is known."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck.backend import registry
from xcheck.checks.prover import Candidate, Prover, has_flint
from xcheck.dtypes import FLOAT64
from xcheck.functions.arguments import read_arguments
from xcheck.trace import UntraceableError

X = np.array([0.3, -1.2, 2.0])
UNITS = np.eye(3)


def candidate(loss: Any, name: str = "jax") -> Candidate:
    """A function of JAX at X."""
    backend = registry.get("jax")
    arguments = read_arguments(X, (), registry.read)
    return Candidate(name, backend.function_objective(xcheck.objective(loss, "jax"), arguments, wide=True))


def test_flint_is_here() -> None:
    """It is part of what is installed to develop."""
    assert has_flint()


def test_slopes_and_errors() -> None:
    """Along units the slopes are the gradient, and what differs from it is the error."""
    one = candidate(lambda x: jnp.sum(jnp.sin(x) * x))
    prover = Prover(one, [one], X)
    gradient = np.sin(X) + X * np.cos(X)
    assert [float(slope) for slope in prover.slopes(UNITS).slopes] == pytest.approx(gradient.tolist(), rel=1e-15)
    wrong = gradient + np.array([0, 1e-9, 0])
    errors, allowed = prover.errors("jax", FLOAT64, wrong, UNITS)
    np.testing.assert_allclose(errors, [0, 1e-9, 0], atol=1e-15)
    assert (allowed < 1e-14).all()
    assert (allowed > 0).all()


def test_rounding_of_an_unknown_program_is_that_of_another() -> None:
    """A hand-written gradient has no trace of its own."""
    one = candidate(lambda x: jnp.sum(jnp.sin(x) * x))
    prover = Prover(one, [one], X)
    np.testing.assert_array_equal(prover.spread("by hand", UNITS), prover.spread("jax", UNITS))


def test_kinks_refute_nothing() -> None:
    """The two slopes differ."""
    one = candidate(lambda x: jnp.sum(jnp.abs(x - 0.3)))
    errors, _ = Prover(one, [one], X).errors("jax", FLOAT64, np.array([7.0, -1.0, 1.0]), UNITS)
    assert errors.tolist() == [0, 0, 0]


def test_a_trace_that_has_not_seen_everything_is_refused() -> None:
    """It gives the loss at θ, where what is missing is a constant, and another one beside it."""
    whole = candidate(lambda x: jnp.sum(x**2))
    Prover(whole, [whole], X).confirm()
    hidden = X[0] ** 2
    part = candidate(lambda x: jnp.sum(x[1:] ** 2) + hidden)

    class Blind:
        """The whole loss, with a trace that takes a part of it for a constant."""

        losses, trace, traced_arrays = whole.objective.losses, part.objective.trace, whole.objective.traced_arrays

    with pytest.raises(UntraceableError, match="beside θ"):
        Prover(Candidate("blind", cast("Any", Blind)), [], X).confirm()


def test_a_cast_is_known_by_its_dtype() -> None:
    """And beside θ its rounding is no part that was not seen, while such a part still is one."""

    def narrow(x: Any) -> Any:
        return jnp.sum(x.astype(jnp.float32) ** 2)

    one = candidate(narrow)
    prover = Prover(one, [one], X)
    assert prover.narrow == "float32"
    prover.confirm()
    whole = candidate(lambda x: jnp.sum(x**2))
    assert not Prover(whole, [whole], X).narrow
    part = candidate(lambda x: narrow(x[1:]) + float(X[0]) ** 2)

    class Blind:
        """The whole loss, with a trace that takes a part of it for a constant."""

        losses, trace, traced_arrays = one.objective.losses, part.objective.trace, one.objective.traced_arrays

    with pytest.raises(UntraceableError, match="beside θ"):
        Prover(Candidate("blind", cast("Any", Blind)), [], X).confirm()


def test_what_has_no_trace_cannot_be_proved() -> None:
    """Said when it is asked for."""

    def loss(x: Any) -> Any:
        return jax.pure_callback(lambda y: np.asarray(y).sum(), jax.ShapeDtypeStruct((), jnp.float64), x)

    one = candidate(loss)
    with pytest.raises(UntraceableError, match="leave JAX"):
        Prover(one, [one], X)
