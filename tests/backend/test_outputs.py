"""Outputs: one array or number is a loss; everything else has one sentence, the same in every framework."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from xcheck.backend.outputs import read_numbers, require_array
from xcheck.backend.registry import read
from xcheck.errors import DefinitionError

PARAMS: Mapping[str, Any] = {
    "numpy": np.array([1.0, 2.0]),
    "torch": torch.tensor([1.0, 2.0], dtype=torch.float64),
    "jax": jnp.array([1.0, 2.0]),
}
MISTAKES: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "loss and aux": (lambda p: (p.sum(), p), "returns a tuple of 2: return the loss alone, one number or one array"),
    "two scalars": (lambda p: [p.sum(), p.prod()], "returns a list of 2: return the loss alone"),
    "dict": (lambda p: {"loss": p.sum(), "accuracy": 1.0}, "returns a dict with loss, accuracy: return the loss alone"),
    "empty": (lambda _: (), "returns a tuple without entries: return the loss alone"),
    "None": (lambda _: None, "returns None, and no loss: is a return missing?"),
    "word": (lambda _: "done", "returns a str, and no number"),
}


@pytest.mark.parametrize("framework", PARAMS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_no_loss_has_one_sentence(framework: str, mistake: str) -> None:
    """Once it was NumPy's, torch's or JAX's own complaint, about something else."""
    function, said = MISTAKES[mistake]
    with pytest.raises(DefinitionError) as caught:
        xcheck.check(function, PARAMS[framework], gradient=lambda p: p if framework == "numpy" else None)
    assert str(caught.value).startswith(f"{framework}: the function {said}")
    assert len(caught.value.complaints) == 1


def test_a_module_is_given_a_loss() -> None:
    """Its outputs cannot be changed, but one of them can be chosen."""
    cell = torch.nn.LSTM(2, 3).double()
    with pytest.raises(DefinitionError, match="the module returns a tuple of 2: say with loss= which of them counts"):
        xcheck.check(cell, None, (torch.ones(4, 2, dtype=torch.float64),))


@pytest.mark.parametrize(
    "value", [1, True, 2.5, 1j, np.float32(2.0), np.ones(2), jnp.ones(2, "bfloat16"), torch.ones(2)]
)
def test_numbers_are_read(value: Any) -> None:
    """Python's, NumPy's and arrays of every framework."""
    assert require_array(value) is value
    assert read_numbers(value, read).shape == np.shape(value)


@pytest.mark.parametrize("value", [object(), np.array(["a"]), np.array([object()]), {1, 2}])
def test_what_holds_no_numbers_is_refused(value: Any) -> None:
    """With its type."""
    with pytest.raises(DefinitionError, match=f"returns a {type(value).__name__} of dtype .*, and no numbers"):
        read_numbers(value, read)


@pytest.mark.parametrize("scope", ["auto", "jacobian"])
def test_an_empty_output_is_refused(scope: Any) -> None:
    """Nothing could be checked."""
    with pytest.raises(DefinitionError, match=r"torch: .*empty array, of shape \(0,\): nothing can be checked"):
        xcheck.check(lambda p: p[:0], PARAMS["torch"], scope=scope)


def test_a_sparse_output_is_refused() -> None:
    """Only its stored numbers could be weighed."""
    with pytest.raises(DefinitionError, match="returns a sparse_coo array: return a dense one"):
        read_numbers(torch.eye(2).to_sparse(), read)


def test_what_cannot_be_read_is_refused() -> None:
    """An array-like may fail while it is made an array."""

    class Broken:
        def __array__(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("no numbers here")

    with pytest.raises(DefinitionError, match="returns a Broken, which is no array of an installed framework"):
        read_numbers(Broken(), read)


@pytest.mark.parametrize("scope", ["auto", "jacobian"])
def test_functions_of_a_check_return_one_shape(scope: Any) -> None:
    """A cotangent weighs the outputs of all of them; broadcast, it would weigh others."""
    functions = {
        "right": xcheck.objective(lambda p: p[:, None] ** 2, "torch"),
        "flat": xcheck.objective(lambda p: p**2, "torch"),
        "numpy": xcheck.objective(lambda p: p**2, "jax"),
    }
    report = xcheck.check(functions, PARAMS["torch"], scope=scope)
    assert report.verdict is xcheck.Verdict.ERROR
    said = "the value has shape (2,), expected (2, 1): all functions of a check return one shape"
    assert {f"flat: {said}", f"numpy: {said}"} <= {finding.text for finding in report.findings}


def test_a_hand_written_gradient_of_a_complex_loss_is_refused() -> None:
    """Once it was held against a random combination of real and imaginary part."""
    with pytest.raises(DefinitionError, match="the loss is complex; a hand-written gradient needs one real number"):
        xcheck.check(lambda p: (p * 1j).sum(), PARAMS["numpy"], gradient=np.ones_like)
