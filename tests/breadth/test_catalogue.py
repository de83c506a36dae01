"""The catalogue itself: its functions are what they say, its gradients are right and its faults are faults."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.breadth import numpy_functions, numpy_models
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Array, Entry, Params, precision_of
from tests.breadth.planted import numbers, planted, true_gradient
from xcheck.testing.generic_faults import GENERIC_FAULTS, Gradient

ENTRIES = {entry.name: entry for entry in CATALOGUE}
NUMPY = [name for name, entry in ENTRIES.items() if entry.framework == "numpy"]
TORCH = [name for name, entry in ENTRIES.items() if entry.framework == "torch"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Functions of sixty parameters are slower with several threads, much slower when something else runs."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def drawn(name: str, seed: int = 0) -> tuple[Entry, Params, tuple[Any, ...]]:
    """Return an entry with its parameters and data."""
    entry = ENTRIES[name]
    return entry, *entry.make(np.random.default_rng(seed))


def values(entry: Entry, params: Params, data: tuple[Any, ...], times: int = 1) -> list[Array]:
    """Return the loss, computed several times; JAX's is compiled first."""
    if entry.framework != "jax":
        return [np.asarray(entry.loss(params, *data)) for _ in range(times)]
    import jax

    with precision_of("jax"):
        loss = jax.jit(entry.loss)
        return [np.asarray(loss(params, *data)) for _ in range(times)]


def central_differences(entry: Entry, params: Params, data: tuple[Any, ...], step: float = 1e-5) -> Gradient:
    """Return (L(θ + h) − L(θ − h))/2h for each component, for frameworks that share memory with NumPy."""
    result = {}
    for name, tensor in params.items():
        theta, slope = np.asarray(tensor), np.zeros(tensor.shape)
        for index in np.ndindex(theta.shape):
            kept = theta[index]
            theta[index] = kept + step
            above = values(entry, params, data)[0]
            theta[index] = kept - step
            slope[index] = (above - values(entry, params, data)[0]) / (2 * step)
            theta[index] = kept
        result[name] = slope
    return result


def difference(a: Gradient, b: Gradient) -> float:
    """Return the largest difference as a share of the largest component."""
    assert a.keys() == b.keys()
    scale = max(np.abs(g).max() for g in b.values())
    return max(float(np.abs(a[name] - b[name]).max()) for name in a) / scale


def test_the_catalogue_is_broad() -> None:
    """At least so many functions for each framework, and no name twice."""
    count = Counter(entry.framework for entry in CATALOGUE)
    assert count["torch"] >= 55
    assert count["jax"] >= 50
    assert count["numpy"] >= 25
    assert len(ENTRIES) == len(CATALOGUE) >= 130
    assert all((entry.gradient is not None) == (entry.framework == "numpy") for entry in CATALOGUE)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_loss_is_a_function(name: str) -> None:
    """It repeats itself to the last digits, is finite, has the declared shape, and leaves what it is given alone."""
    entry, params, data = drawn(name)
    _, again, _ = drawn(name)
    first, second = values(entry, params, data, times=2)
    assert first.dtype == np.float64
    assert (first.ndim > 0) == entry.array_valued
    assert np.isfinite(first).all()
    # LAPACK's last digit may depend on where the memory lies.
    assert np.allclose(first, second, rtol=1e-13, atol=0)
    for parameter, tensor in numbers(params).items():
        assert tensor.dtype == np.float64
        assert np.array_equal(tensor, numbers(again)[parameter])
    assert 1 <= sum(tensor.size for tensor in numbers(params).values()) <= 120


@pytest.mark.parametrize("name", NUMPY)
def test_a_gradient_by_hand_agrees_with_central_differences(name: str) -> None:
    """At three points."""
    for seed in range(3):
        entry, params, data = drawn(name, seed)
        assert difference(true_gradient(entry, params, data), central_differences(entry, params, data)) < 1e-7


@pytest.fixture(scope="module")
def twins() -> dict[str, Entry]:
    """The source of the NumPy functions with jax.numpy in the place of numpy."""
    found = {}
    for module in (numpy_functions, numpy_models):
        path = Path(str(module.__file__))
        twin = ModuleType(f"{module.__name__}_twin")
        source = path.read_text(encoding="utf-8").replace("import numpy as np", "import jax.numpy as np")
        exec(compile(source, str(path), "exec"), twin.__dict__)  # noqa: S102 - our own file
        found.update({entry.name: entry for entry in twin.COLLECTION.entries})
    return found


@pytest.mark.parametrize("name", NUMPY)
def test_a_gradient_by_hand_agrees_with_jax(name: str, twins: dict[str, Entry]) -> None:
    """Autodiff of the same source, to rounding."""
    import jax

    entry, params, data = drawn(name)
    with precision_of("jax"):
        other = numbers(jax.jit(jax.grad(twins[name].loss))(params, *data))
    assert difference(true_gradient(entry, params, data), other) < 1e-12


@pytest.mark.parametrize("name", [name for name in TORCH if not ENTRIES[name].array_valued])
def test_torch_agrees_with_central_differences(name: str) -> None:
    """No function is at a kink, and no step crosses one."""
    import torch

    entry, params, data = drawn(name)
    with torch.no_grad():
        slopes = central_differences(entry, params, data)
    assert difference(slopes, true_gradient(entry, params, data)) < 1e-7


# --- faults ---------------------------------------------------------------------------------------------------------


def complex_gradient() -> Gradient:
    """A gradient that every fault applies to."""
    rng = np.random.default_rng(1)
    return {name: rng.standard_normal((3, 3)) + (1j if name == "c" else 0) for name in ("a", "b", "c")}


@pytest.mark.parametrize("name", [name for name in GENERIC_FAULTS if name != "rounded to float32"])
def test_a_fault_changes_a_copy(name: str) -> None:
    """What it is given stays as it was, and what it returns is something else."""
    gradient = complex_gradient()
    if name == "clipped":
        del gradient["c"]
    faulty = GENERIC_FAULTS[name](gradient, gradient, np.random.default_rng(0))
    assert faulty is not None
    assert faulty.keys() == gradient.keys()
    assert all(np.array_equal(gradient[tensor], complex_gradient()[tensor]) for tensor in gradient)
    assert any(not np.array_equal(gradient[tensor], faulty[tensor]) for tensor in gradient)


@pytest.mark.parametrize(
    ("name", "gradient"),
    [
        ("transposed", {"a": np.ones((2, 3))}),
        ("transposed", {"a": np.eye(3)}),
        ("two tensors swapped", {"a": np.ones(3), "b": np.ones(2)}),
        ("rows rolled by one", {"a": np.ones((4, 2))}),
        ("one row's sign flipped", {"a": np.array(2.0)}),
        ("last row missing", {"a": np.array([1.0, 0.0])}),
        ("one tensor detached", {"a": np.zeros(3)}),
        ("rounded to float32", {"a": np.array([0.5, -2.0])}),
        ("conjugated", {"a": np.ones(3)}),
        ("x 2", {"a": np.zeros(3)}),
    ],
)
def test_a_fault_that_changes_nothing_does_not_apply(name: str, gradient: Gradient) -> None:
    """None, rather than a fault that nobody can find."""
    assert GENERIC_FAULTS[name](gradient, gradient, np.random.default_rng(0)) is None


@pytest.mark.parametrize("name", [name for name in GENERIC_FAULTS if name.startswith("one component")])
def test_a_component_counts(name: str) -> None:
    """One component is changed, and it is at least a thousandth of the largest of its tensor."""
    gradient = {"a": np.array([1.0, 1e-4, -2e-3]), "rounding": np.array([1e-17, 3e-18])}
    for seed in range(10):
        faulty = GENERIC_FAULTS[name](gradient, gradient, np.random.default_rng(seed))
        assert faulty is not None
        assert np.array_equal(faulty["rounding"], gradient["rounding"])
        assert np.flatnonzero(faulty["a"] != gradient["a"]).tolist() in ([0], [2])


EXAMPLES = [name for name in (*NUMPY, *TORCH) if not ENTRIES[name].array_valued]
EXAMPLES += ["jax.gammaln", "jax.scan_rnn", "jax.solve"]


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=EXAMPLES)
def test_a_planted_fault_is_what_the_framework_returns(number: int) -> None:
    """The loss is the same to the last bit, and its gradient is the faulty one."""
    entry, params, data = drawn(EXAMPLES[number])
    truth = true_gradient(entry, params, data)
    for fault in [list(GENERIC_FAULTS.values())[(number + shift) % len(GENERIC_FAULTS)] for shift in (0, 8, 16)]:
        expected = fault(truth, numbers(params), np.random.default_rng(0))
        faulty = planted(entry, fault, params, data)
        assert (faulty is None) == (expected is None)
        if faulty is None or expected is None:
            continue
        assert np.allclose(values(faulty, params, data)[0], values(entry, params, data)[0], rtol=1e-13, atol=0)
        found = true_gradient(faulty, params, data)
        for tensor, array in expected.items():
            np.testing.assert_allclose(found[tensor], array, rtol=1e-10, atol=1e-15)


def test_no_fault_is_planted_in_an_array() -> None:
    """Without a loss there is no gradient that could be spoiled."""
    entry, params, data = drawn("torch.linear_array")
    assert planted(entry, GENERIC_FAULTS["x 2"], params, data) is None


def test_the_frameworks_settings_stay() -> None:
    """Importing and drawing change neither the x64 flag nor torch's default dtype."""
    import jax
    import torch

    assert "tests.breadth.catalogue" in sys.modules
    assert not jax.config.jax_enable_x64
    assert torch.get_default_dtype() == torch.float32
