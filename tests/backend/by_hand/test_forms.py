"""Derivatives by hand in every form: right ones agree, wrong ones are found, in each framework."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from xcheck.errors import DefinitionError
from xcheck.verdict import Verdict

T = np.linspace(0.1, 2.0, 5)
X = np.array([1.3, 0.7, 0.2])


def decay(x: Any, t: Any) -> Any:
    """A decay towards a constant, for any framework."""
    module = torch if isinstance(x, torch.Tensor) else np if isinstance(x, np.ndarray) else jnp
    return x[0] * module.exp(-x[1] * t) + x[2]


def rows(x: Any, t: Any) -> Any:
    """Its Jacobian."""
    module = torch if isinstance(x, torch.Tensor) else np if isinstance(x, np.ndarray) else jnp
    e = module.exp(-x[1] * t)
    return module.stack([e, -x[0] * t * e, module.ones_like(t)], 1)


# How each form is made of a Jacobian.
FORMS: dict[str, Callable[[Any], Any]] = {
    "jacobian": lambda jacobian: jacobian,
    "vjp": lambda jacobian: lambda x, t, v: jacobian(x, t).T @ v,
    "jvp": lambda jacobian: lambda x, t, u: jacobian(x, t) @ u,
}
ARRAYS: dict[str, Callable[[Any], Any]] = {"numpy": np.array, "torch": torch.tensor, "jax": np.array}


@pytest.mark.parametrize("backend", ARRAYS)
@pytest.mark.parametrize("form", FORMS)
def test_each_form_in_each_framework(form: str, backend: str) -> None:
    """A right one agrees; one with a wrong number, 10⁻⁵ of itself, does not."""
    make = ARRAYS[backend]

    def check(jacobian: Any) -> xcheck.Report:
        return xcheck.check(decay, make(X), (make(T),), backend=backend, **{form: FORMS[form](jacobian)})

    assert check(rows).verdict is Verdict.AGREE
    wrong = check(lambda x, t: rows(x, t) * (1 + 1e-5 * make(np.eye(5)[:, 3:4] * np.eye(3)[1])))
    assert wrong.verdict is Verdict.DISAGREE
    assert "x[1]" in wrong.headline


def test_a_jacobian_is_looked_at_entry_by_entry() -> None:
    """Without being asked to; through a cotangent of the person's own, where there is one."""
    report = xcheck.check(decay, X, (T,), jacobian=rows)
    assert report.oracle.scope == "jacobian"
    assert report.verified == 15
    one = xcheck.check(decay, X, (T,), jacobian=rows, cotangent=np.ones(5), scope="all")
    assert one.ok
    assert one.verified == 3


def test_many_outputs_are_seen_through_one_cotangent() -> None:
    """A Jacobian of more outputs than are looked at one by one is no error."""
    wide = np.linspace(0.1, 2.0, 5000)
    report = xcheck.check(decay, X, (wide,), jacobian=rows)
    assert report.verdict is Verdict.AGREE
    assert report.verified == 3


def test_a_vjp_of_one_number_is_called_with_its_cotangent() -> None:
    """One that forgets to multiply by it is wrong."""
    right = xcheck.check(lambda x: np.sin(x).sum(), X, vjp=lambda x, v: v * np.cos(x))
    assert right.verdict is Verdict.AGREE
    wrong = xcheck.check(lambda x: np.sin(x).sum(), X, vjp=lambda x, v: np.cos(x))
    assert wrong.verdict is Verdict.DISAGREE


def test_complex_outputs_and_parameters() -> None:
    """A Jacobian of complex outputs is read; one of complex parameters is not, and says what to give."""
    turn = np.array([1.0, 1j, 2 - 1j])
    assert xcheck.check(lambda x: turn * x**2, X, jacobian=lambda x: np.diag(2 * turn * x)).ok
    wrong = xcheck.check(lambda x: turn * x**2, X, jacobian=lambda x: np.diag(2 * turn.conj() * x))
    assert wrong.verdict is Verdict.DISAGREE
    z = X + 0.5j
    refused = xcheck.check(lambda z: z**2, z, jacobian=lambda z: np.diag(2 * z))
    assert refused.verdict is Verdict.ERROR
    assert "give vjp= or jvp=" in str(refused).replace("\n  ", " ")


def test_trees_and_other_axes() -> None:
    """The parts of a tree are read by name, with the axes of the function's own."""
    W, b, x = X[:, None] * np.array([1.0, -0.5]), np.array([0.3, 0.1]), np.array([0.2, -0.4, 0.9])

    def loss(p: Any, x: Any) -> Any:
        return np.tanh(p["kernel"] @ x + p["b"])

    def jacobian(p: Any, x: Any) -> Any:
        slope = np.diag(1 - loss(p, x) ** 2)
        return {"kernel": np.einsum("ij,k->ijk", slope, x), "b": slope}

    own = xcheck.objective(loss, "numpy", jacobian=jacobian, rename={"kernel": "W"}, layout={"kernel": "transpose"})
    report = xcheck.check(own, {"W": W, "b": b}, (x,))
    assert report.verdict is Verdict.AGREE, report
    assert report.verified == 8  # each output has its own row of the kernel


def test_a_vjp_that_takes_no_cotangent_is_told_what_it_is_called_with() -> None:
    """Python's own sentence tells only how many arguments came."""
    report = xcheck.check(np.sin, X, vjp=lambda x: 2 * x)
    assert "the vjp as vjp(params, *data, cotangent)" in " ".join(str(report).split())


@pytest.mark.parametrize(
    ("forms", "words"),
    [
        ({"jacobian": rows, "vjp": rows}, "give one of vjp, jacobian"),
        ({"jacobian": 3}, "expected a function, int came"),
    ],
    ids=["two", "no function"],
)
def test_forms_that_cannot_be_used(forms: Any, words: str) -> None:
    """They are refused before anything runs."""
    with pytest.raises(DefinitionError, match=words):
        xcheck.check(decay, X, (T,), **forms)


def test_a_jvp_of_too_many_parameters() -> None:
    """It would be called once for each: what to give in its place is said."""
    many = np.zeros(100_001)
    with pytest.raises(DefinitionError, match="give vjp="):
        xcheck.check(lambda x: (x * x).sum(), many, jvp=lambda x, u: 2 * x @ u, scope="directions")
