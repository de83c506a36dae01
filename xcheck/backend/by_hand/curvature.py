"""Second derivatives written by hand: H v of a Hessian, or of a product."""

from typing import TYPE_CHECKING

import numpy as np

from xcheck.backend.by_hand.jacobians import read_jacobian
from xcheck.errors import BackendError
from xcheck.layout import Vector

if TYPE_CHECKING:
    from xcheck.backend.function_objective import FunctionObjective


def hessian_product_by_hand(objective: "FunctionObjective", theta: Vector, vector: Vector) -> Vector:
    """Return H v, shape (n,).

    Args:
        objective: with `hvp` or `hessian`.
        theta: shape (n,).
        vector: v, shape (n,).

    Raises:
        BackendError: what was returned cannot be read; or a Hessian is one of several arrays, or of complex ones.
    """
    function, data = objective.function, objective.copy_data()
    given = objective.own(theta)
    tree = objective.build_tree(given)
    if "hvp" in function.forms:
        along = objective.build_tree(objective.own(vector))
        return objective.flat(objective.read_gradient(function.forms["hvp"](tree, *data, along)))
    if len(given) != 1 or objective.size != np.size(next(iter(given.values()))):
        text = f"a Hessian is read of one real array, and there are {', '.join(given)}: give hvp="
        raise BackendError(objective.backend, text)
    name, values = next(iter(objective.parameters.at(theta).items()))
    try:
        # The Jacobian of the gradient, which has the shape of the array.
        found = read_jacobian(
            function.forms["hessian"](tree, *data), {name: values}, values.shape, objective.arguments.read
        )
    except ValueError as error:
        text = str(error).replace("Jacobian", "Hessian")
        raise BackendError(objective.backend, text) from error
    own = objective.parameters.at(vector)[name]
    return objective.flat({name: np.tensordot(found[name], own, own.ndim).reshape(values.shape)})
