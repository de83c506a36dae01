"""Operations whose derivative holds for some moves only: what is moved, and what of a cotangent counts."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck_jax.domains import ALL, Domain, domain_of
from xcheck_jax.settings import own_settings

A = np.array([[4.0, 1.0, 0.5], [0.0, 3.0, -1.0], [1.0, 0.5, 5.0]])
B = np.array([1.0, -2.0, 0.5])


def equation_of(name: str, function: Any, *arguments: Any) -> Any:
    """The operation of that name in a trace; calls of JAX are entered."""
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    while True:
        for equation in jaxpr.eqns:
            if equation.primitive.name == name:
                return equation
        jaxpr = next(equation.params["jaxpr"].jaxpr for equation in jaxpr.eqns if "jaxpr" in equation.params)


@pytest.mark.parametrize(("name", "function"), [("cholesky", jnp.linalg.cholesky), ("eigh", jnp.linalg.eigh)])
def test_symmetric_matrices_move_symmetrically(name: str, function: Any) -> None:
    """Of a move, and of a cotangent, the symmetric part is taken."""
    domain = domain_of(equation_of(name, function, jnp.eye(3)))
    assert domain.symmetric
    assert np.asarray(domain.move(jnp.asarray(A))) == pytest.approx((A + A.T) / 2)
    assert np.asarray(domain.cotangent(jnp.asarray(A))) == pytest.approx((A + A.T) / 2)


def test_a_linear_equation_is_solved_where_it_has_moved() -> None:
    """By the factors of the matrix that it was; these are no variables."""
    with own_settings(jax.devices("cpu")[0]):
        equation = equation_of("custom_linear_solve", jnp.linalg.solve, jnp.asarray(A), jnp.asarray(B))
        domain = domain_of(equation)
        factors, pivots, permutation = jax.lax.linalg.lu(jnp.asarray(A))
        del pivots
        moved = A + 0.01 * A.T
        assert domain.moved is not None
        (x,) = domain.moved(moved, A, factors, permutation, factors, permutation, 2 * B)
        assert np.asarray(x) == pytest.approx(np.linalg.solve(moved, 2 * B), rel=1e-12)
        assert domain.variables == (0, 6)


def test_other_operations_move_as_they_like() -> None:
    """All of their inputs are variables."""
    assert domain_of(equation_of("sin", jnp.sin, 1.0)) is ALL
    assert Domain().move(A) is A
    assert Domain().cotangent(A) is A
