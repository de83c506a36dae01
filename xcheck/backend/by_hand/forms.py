"""Derivatives written by hand in any form, as the gradient of J(θ) = Re Σ v̄ y, or as all rows of the Jacobian.

y = f(θ), v the cotangent, u a tangent. A vjp is that gradient itself, called with v. A Jacobian A gives Re Σⱼ v̄ⱼ Aⱼᵢ.
A jvp gives A u, so that A e₁, ..., A eₙ are the columns of A: n calls. That is as exact as the form itself, and every
component can be named.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xcheck.backend.by_hand.gradients import call_by_hand
from xcheck.backend.by_hand.jacobians import read_jacobian
from xcheck.backend.cotangents import WEIGHT
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.functions.arguments import Numbers
from xcheck.layout import Vector

if TYPE_CHECKING:
    from xcheck.backend.function_objective import FunctionObjective

# A jvp is called once for each parameter: a guess, so that it takes minutes at most.
_MOST_TANGENTS = 100_000


def differentiate_by_hand(
    objective: "FunctionObjective", given: Mapping[str, Any], data: tuple[Any, ...]
) -> tuple[float, Vector, frozenset[str]]:
    """Return J(θ), its gradient, shape (n,), and the parameters that the gradient leaves out.

    Args:
        objective: with a derivative by hand, and its cotangent.
        given: the parameters at θ by own name.
        data: further arguments.

    Raises:
        BackendError: what was returned cannot be read; the text says why.
    """
    function = objective.function
    if function.tells_all:
        values, rows = rows_by_hand(objective, given, data)
        weights = np.ones(1) if objective.cotangent is None else np.conj(np.ravel(objective.cotangent))
        return objective.number(values), np.real(weights @ rows), frozenset()
    tree = objective.build_tree(given)
    if "vjp" not in function.forms:
        value, returned = call_by_hand(function, lambda: objective.call_loss(given, data), tree, data)
        gradient: Mapping[str, Numbers | None] = objective.read_gradient(returned)
        weight = 1.0
    else:
        value = objective.call_loss(given, data)
        weight = WEIGHT if objective.cotangent is None else 1.0
        gradient = pull_back_by_hand(objective, value, tree, data, weight)
    unused = frozenset(name for name, part in gradient.items() if part is None)
    return objective.number(value), objective.flat(gradient) / weight, unused


def pull_back_by_hand(
    objective: "FunctionObjective", value: Any, tree: Any, data: tuple[Any, ...], weight: float
) -> Mapping[str, Numbers | None]:
    """Return what the vjp says of a cotangent by own name: the objective's own, or this weight where it has none."""
    leaf = objective.leaf_of(value)
    weights = np.full(leaf.values.shape, weight) if objective.cotangent is None else objective.cotangent
    numbers = np.asarray(weights, dtype=leaf.values.dtype if leaf.values.dtype.kind in "fc" else np.float64)
    cotangent = objective.array(numbers.reshape(leaf.values.shape), leaf, leaf.dtype)
    return objective.read_gradient(objective.function.forms["vjp"](tree, *data, cotangent))


def rows_by_hand(
    objective: "FunctionObjective", given: Mapping[str, Any], data: tuple[Any, ...]
) -> tuple[Any, Numbers]:
    """Return the value, and the Jacobian with respect to θ, shape (outputs, n), of a form that tells all of it.

    Raises:
        BackendError: what was returned cannot be read.
        DefinitionError: there are too many parameters for a jvp.
    """
    function = objective.function
    value = objective.call_loss(given, data)
    outputs = np.shape(objective.numbers(value))
    if "jvp" in function.forms:
        return value, _columns(objective, given, data, outputs)
    numbers = {name: objective.numbers(part) for name, part in given.items()}
    if any(part.dtype.kind == "c" for part in numbers.values()):
        raise BackendError(objective.backend, "a Jacobian of complex parameters is not read: give vjp= or jvp=")
    returned = function.forms["jacobian"](objective.build_tree(given), *data)
    try:
        parts = read_jacobian(returned, numbers, outputs, objective.arguments.read)
    except ValueError as error:
        raise BackendError(objective.backend, str(error)) from error
    count = int(np.prod(outputs))
    real = objective.flat_rows({name: np.real(part) for name, part in parts.items()}, count)
    if all(part.dtype.kind != "c" for part in parts.values()):
        return value, real
    return value, real + 1j * objective.flat_rows({name: np.imag(part) for name, part in parts.items()}, count)


def _columns(
    objective: "FunctionObjective", given: Mapping[str, Any], data: tuple[Any, ...], outputs: tuple[int, ...]
) -> Numbers:
    size = objective.size
    if size > _MOST_TANGENTS:
        text = f"a jvp is called once for each of {size} parameters, and at most for {_MOST_TANGENTS}: give vjp="
        raise DefinitionError(Complaint(text, ("jvp",)))
    tree, columns = objective.build_tree(given), []
    for component in range(size):
        unit = np.zeros(size)
        unit[component] = 1.0
        tangent = objective.build_tree(objective.own(unit))
        column = objective.numbers(objective.function.forms["jvp"](tree, *data, tangent))
        if column.shape != outputs:
            text = f"the jvp has shape {column.shape}, the value {outputs}"
            raise BackendError(objective.backend, text)
        columns.append(column.ravel())
    return np.stack(columns, axis=1)
