"""Forms of a derivative that is written by hand: which there are, how each is called, and which exclude each other.

    gradient(params, *data)                    of one number, like params
    value_and_gradient(params, *data)          both
    vjp(params, *data, cotangent)              Re Σ v̄ y differentiated, like params; v like y
    jvp(params, *data, tangent)                the derivative of y along a tangent, like y; the tangent like params
    jacobian(params, *data)                    of all outputs, outputs first
    hessian(params, *data)                     of one number, of one array
    hvp(params, *data, vector)                 H v, like params; the vector like params

Names and shapes are those of JAX (`jax.vjp`, `jax.jvp`, `jax.jacobian`) and of SciPy (`jac`, `hess`, `hessp`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from xcheck.errors import Complaint

# How each form is called; those of first order take the place of autodiff.
FIRST_ORDER = {
    "gradient": "gradient(params, *data)",
    "value_and_gradient": "value_and_gradient(params, *data)",
    "vjp": "vjp(params, *data, cotangent)",
    "jvp": "jvp(params, *data, tangent)",
    "jacobian": "jacobian(params, *data)",
}
SECOND_ORDER = {"hessian": "hessian(params, *data)", "hvp": "hvp(params, *data, vector)"}
FORMS = {**FIRST_ORDER, **SECOND_ORDER}


def forms_of(given: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    """Return those entries that are a form of a derivative, and are not None."""
    return {name: given[name] for name in FORMS if given.get(name) is not None}


def complaints_about_forms(given: Mapping[str, Any]) -> list[Complaint]:
    """Return what is wrong with forms by name: no function, or two that say the same."""
    complaints = [
        Complaint(f"expected a function, {type(form).__name__} came: it is called as {FORMS[name]}", (name,))
        for name in FORMS
        if (form := given.get(name)) is not None and not callable(form)
    ]
    for group, what in ((FIRST_ORDER, "first"), (SECOND_ORDER, "second")):
        names = [name for name in group if given.get(name) is not None]
        if len(names) > 1:
            text = f"give one of {', '.join(names)}: as the {what} derivative each is an objective of its own"
            complaints.append(Complaint(text))
    return complaints
