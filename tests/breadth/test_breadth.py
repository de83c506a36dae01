"""Breadth: xcheck accepts every function of the catalogue, and finds the faults that are planted in them."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from jax.experimental.compilation_cache import compilation_cache

import xcheck
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Entry
from tests.breadth.planted import numbers, planted, true_gradient
from tests.breadth.torch_functions import activated
from xcheck.checks.report import Report
from xcheck.testing.generic_faults import GENERIC_FAULTS, GenericFault, Gradient

NUMBERS = {entry.name: number for number, entry in enumerate(CATALOGUE)}
SCALAR = [entry for entry in CATALOGUE if not entry.array_valued]
# Each planted fault of JAX is compiled anew: one function in three; `python -m benchmarks breadth` asks about all.
FAULTED = [entry for entry in SCALAR if entry.framework != "jax" or NUMBERS[entry.name] % 3 == 0]
# A fault that is smaller than the tolerance.
ALLOWED = "rounded to float32"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Functions of sixty parameters are slower with several threads, much slower when something else runs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A function and the same with a fault have one loss: its compiled code is kept on disk, and read again."""
    settings = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in settings}
    set_all(settings)
    yield
    set_all(before)


def set_all(settings: Mapping[str, Any]) -> None:
    """Change settings of JAX; it looks at the cache's folder only once, and is made to look again."""
    for name, value in settings.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def checked(entry: Entry, seed: int = 0) -> Report:
    """Return the report on an entry."""
    params, data = entry.make(np.random.default_rng(seed))
    return xcheck.check(entry.loss, params, data, backend=entry.framework, gradient=entry.gradient, name=entry.name)


def faults_in_turn(number: int) -> Iterator[tuple[str, GenericFault]]:
    """Yield all faults; every entry begins with another one."""
    for name in np.roll(list(GENERIC_FAULTS), -7 * number):
        yield str(name), GENERIC_FAULTS[str(name)]


def touched(truth: Gradient, faulty: Gradient) -> set[str]:
    """Return the tensors that a fault has changed."""
    return {name for name in truth if not np.array_equal(truth[name], faulty[name])}


def may_pass(entry: Entry, fault: str, report: Report, truth: Gradient, faulty: Gradient) -> bool:
    """Whether a fault is smaller than what has to be seen.

    Of a function that is computed in float32 inside, that is what its report says.
    """
    if not entry.single_inside:
        return fault == ALLOWED
    bounds = {name: report.tolerance * np.abs(g) + report.resolution * np.abs(g).max() for name, g in truth.items()}
    return all(bool((np.abs(faulty[name] - truth[name]) <= bounds[name]).all()) for name in truth)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_a_right_gradient_is_accepted(entry: Entry) -> None:
    """No false alarm, and nothing is left undecided unless the framework itself computes in float32."""
    report = checked(entry)
    allowed = ("AGREE", "UNDECIDED") if entry.single_inside else ("AGREE",)
    assert report.verdict in allowed, str(report)


@pytest.mark.parametrize("entry", FAULTED, ids=lambda entry: entry.name)
def test_a_planted_fault_is_found(entry: Entry) -> None:
    """Two faults that apply, one for JAX: DISAGREE, and what is named as the worst lies where the fault is."""
    params, data = entry.make(np.random.default_rng(0))
    truth, number, tried = true_gradient(entry, params, data), NUMBERS[entry.name], 0
    for name, fault in faults_in_turn(number):
        faulty = planted(entry, fault, params, data, seed=number, truth=truth)
        expected = fault(truth, numbers(params), np.random.default_rng(number))
        if faulty is None or expected is None:
            continue
        report = checked(faulty)
        found = report.verdict == "DISAGREE"
        assert found or may_pass(entry, name, report, truth, expected), f"{name}: {report}"
        if found:
            assert report.pairs[0].worst[0].location.name in touched(truth, expected), f"{name}: {report}"
        tried += 1
        if tried == (1 if entry.framework == "jax" else 2):
            break
    assert tried


def derivative_of_celu() -> float:
    """Return torch's derivative of celu with alpha 1.3 at −1."""
    x = torch.tensor(-1.0, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(F.celu(x, alpha=1.3), x)
    return float(slope)


def test_a_wrong_derivative_of_torch_is_found() -> None:
    """In the backward pass of celu torch rounds alpha to float32: about 1e-8 in each term, more where terms cancel."""
    if abs(derivative_of_celu() / math.exp(-1 / 1.3) - 1) < 1e-12:
        pytest.skip("this torch differentiates celu with alpha in float64")
    celu = next(entry for entry in CATALOGUE if entry.name == "torch.celu")
    assert checked(celu).verdict == "AGREE"
    loss = activated(partial(F.celu, alpha=0.7))
    report = checked(dataclasses.replace(celu, name="celu with alpha 0.7", loss=loss))
    assert report.verdict == "DISAGREE", str(report)
