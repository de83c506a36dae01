"""What a check of a person's function does not show: what was sampled, converted, shared or contracted."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.compare.test_comparer import estimate
from xcheck.caveats.functions import (
    complex_convention,
    contracted_outputs,
    partial,
    shared_arrays,
    training_mode,
    unused_parameters,
)
from xcheck.layout import Layout
from xcheck.oracle.engines.lines import DIRECTIONS


def arguments(**known: Any) -> Any:
    """Return what of a person's arguments is asked about."""
    return SimpleNamespace(**known)


def test_arrays_that_are_shared_are_named_together() -> None:
    """One warning for each group."""
    found = shared_arrays(arguments(shared=[("a", "b"), ("c", "d")]))
    assert [one.tensor for one in found] == ["a", "c"]
    assert found[0].text == "a and b are one array: each name is varied alone, and has a gradient of its own"


@pytest.mark.parametrize(("dtype", "labels", "count"), [("c16", ["jax"], 1), ("f8", ["jax"], 0), ("c16", [], 0)])
def test_only_complex_parameters_have_a_convention(dtype: str, labels: list[str], count: int) -> None:
    """And only if a gradient was converted to it."""
    leaves = {"z": SimpleNamespace(values=np.zeros(2, dtype))}
    found = complex_convention(arguments(leaves=leaves), labels)
    assert len(found) == count
    assert all("which is converted (jax)" in one.text and one.tensor == "z" for one in found)


def test_several_outputs_are_one_number() -> None:
    """With the seed that repeats it; a loss of one number needs no word."""
    (found,) = contracted_outputs((3, 2), 7)
    assert "the loss has shape (3, 2): one random combination of its outputs was checked (seed 7)" in found.text
    assert contracted_outputs(None, 7) == []


def test_a_sample_says_which_errors_it_would_have_shown() -> None:
    """Two components and four directions: the norm is a multiple of what a direction can see."""
    layout = Layout.of({"w": (2,), DIRECTIONS: (4,)})
    lines: Any = SimpleNamespace(complete=False, layout=layout, components=np.arange(2), whole=Layout.of({"w": (9,)}))
    (found,) = partial(lines, estimate(error_bar=np.full(6, 1e-6)), 1e-7, 3.0)
    (wider,) = partial(lines, estimate(error_bar=np.full(6, 1e-3)), 1e-7, 0.0)
    assert found.text.startswith(
        "2 of 9 components were measured (all of them would take about 3 s), and the slopes along 4"
    )
    assert found.value is not None
    assert wider.value is not None
    assert wider.value > 100 * found.value > 0
    lines.complete = True
    assert partial(lines, estimate(), 1e-7, 3.0) == []


def test_training_mode_is_named_with_what_depends_on_it() -> None:
    """In the module's own words."""
    assert training_mode("torch", "BatchNorm1d at 1").text == "torch: the module is in training mode: BatchNorm1d at 1"


@pytest.mark.parametrize(
    ("slope", "by_hand", "text"),
    [
        (0.0, False, "the gradient of b is None, which is taken for zero, and the loss does not depend on b"),
        (2.0, False, "the gradient of b is None, which is taken for zero, although the loss depends on it"),
        (
            2.0,
            True,
            "the gradient that was returned has no b, which is taken for zero, although the loss depends on it",
        ),
        (
            np.nan,
            False,
            "the gradient of b is None: it is taken for zero, which is right only if the loss does not depend on it",
        ),
    ],
)
def test_a_gradient_that_is_none_is_held_against_the_oracle(slope: float, by_hand: bool, text: str) -> None:
    """Whether the loss depends on the parameter is said only where the differences show it."""
    layout = Layout.of({"w": (2,), "b": (1,)})
    value = np.array([1.0, 1.0, slope])
    measured = replace(
        estimate(),
        value=value,
        magnitude=np.nan_to_num(np.abs(value)),
        error_bar=np.where(np.isnan(value), np.inf, 1e-9),
    )
    (found,) = unused_parameters("torch", {"b": ("b",)}, measured, layout, by_hand=by_hand)
    assert (found.code, found.tensor, found.text) == ("XC421", "b", f"torch: {text}")
