"""Operations whose derivative holds for some moves of what they read only, and how they are moved then.

- `cholesky` and `eigh` read one triangle of a matrix, and their derivatives suppose that it, and each move of it, is
  symmetric, or Hermitian. Of the cotangent of such a matrix that part alone counts.
- `custom_linear_solve` returns the x of A x = b. It solves by what may have been computed from A beforehand, such as
  factors, which are no variables. With A and b moved, x is found by iterative refinement, x ← x + S(b − A x) with the
  solver S as it was: Wilkinson, "Rounding Errors in Algebraic Processes", 1963, chapter 3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import jaxpr_as_fun

from xcheck_jax.operations import runner

_SYMMETRIC = ("cholesky", "eigh")
# Each turn multiplies the error by the relative move of A times its condition: 2⁻⁷ κ at the longest steps that are
# taken, so that for κ = 4 rounding is reached; with a larger κ at shorter steps.
_TURNS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """What of an operation's inputs is a variable of its own.

    Attributes:
        variables: the places of those inputs; None for all.
        symmetric: whether the first input, and each move of it, is a symmetric matrix.
        moved: arrays of all inputs, moved -> arrays of the outputs; None for the operation itself.
    """

    variables: tuple[int, ...] | None = None
    symmetric: bool = False
    moved: Callable[..., list[Any]] | None = None

    def cotangent(self, cotangent: Any) -> Any:
        """Return the part of a cotangent that counts."""
        return _symmetric_part(cotangent) if self.symmetric else cotangent

    def move(self, move: Any) -> Any:
        """Return the part of a move that stays where the derivative holds."""
        return _symmetric_part(move) if self.symmetric else move


ALL = Domain()


def _symmetric_part(x: Any) -> Any:
    return (x + jnp.conj(jnp.swapaxes(x, -1, -2))) / 2


def domain_of(equation: Any) -> Domain:
    """Return for which moves the derivative of an operation of JAX holds."""
    name = equation.primitive.name
    if name in _SYMMETRIC:
        return Domain(symmetric=True)
    return _domain_of_solve(equation) if name == "custom_linear_solve" else ALL


def _domain_of_solve(equation: Any) -> Domain:
    counts = equation.params["const_lengths"]
    right = range(sum(counts), len(equation.invars))
    variables = (*range(counts.matvec), *right)
    multiply, solve = (jaxpr_as_fun(equation.params["jaxprs"].matvec), jaxpr_as_fun(equation.params["jaxprs"].solve))
    first = counts.matvec + counts.vecmat

    def moved(*given: Any) -> list[Any]:
        b = given[sum(counts) :]

        def refine(_: Any, x: Sequence[Any]) -> list[Any]:
            rest = [one - other for one, other in zip(b, multiply(*given[: counts.matvec], *x), strict=True)]
            more = solve(*given[first : first + counts.solve], *rest)
            return [one + other for one, other in zip(x, more, strict=True)]

        return list(jax.lax.fori_loop(0, _TURNS, refine, runner(equation)(*given)))

    return Domain(variables, moved=moved)
