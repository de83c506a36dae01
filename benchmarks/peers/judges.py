"""Judges of ordinary functions: xcheck, torch.autograd.gradcheck and jax.test_util.check_grads, each at its defaults.

A judge takes an entry of `tests.breadth` with its parameters and data, and says what it thinks of the gradient.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import xcheck
from tests.breadth.entry import Entry, Framework, Params, precision_of

AGREE, DISAGREE, UNDECIDED = "agree", "disagree", "undecided"
Judge = Callable[[Entry, Params, tuple[Any, ...]], str]


def by_xcheck(entry: Entry, params: Params, data: tuple[Any, ...]) -> str:
    """Return the verdict of `xcheck.check`."""
    report = xcheck.check(entry.loss, params, data, backend=entry.framework, gradient=entry.gradient)
    return report.verdict.lower()


def by_gradcheck(entry: Entry, params: Params, data: tuple[Any, ...], *, fast: bool = False) -> str:
    """Return what gradcheck says (eps 1e-6, atol 1e-5, rtol 1e-3)."""
    import torch

    names = tuple(params)
    tensors = tuple(params[name].detach().clone().requires_grad_() for name in names)

    def loss(*given: Any) -> Any:
        return entry.loss(dict(zip(names, given, strict=True)), *data)

    passed = torch.autograd.gradcheck(loss, tensors, fast_mode=fast, raise_exception=False)
    return AGREE if passed else DISAGREE


def by_check_grads(entry: Entry, params: Params, data: tuple[Any, ...]) -> str:
    """Return what check_grads says: first order, reverse mode, in float64."""
    import jax
    from jax.test_util import check_grads

    loss = jax.jit(entry.loss)
    with precision_of("jax"):
        try:
            check_grads(lambda given: loss(given, *data), (params,), order=1, modes=("rev",))
        except AssertionError:
            return DISAGREE
    return AGREE


JUDGES: dict[Framework, dict[str, Judge]] = {
    "torch": {"xcheck": by_xcheck, "gradcheck": by_gradcheck, "gradcheck-fast": partial(by_gradcheck, fast=True)},
    "jax": {"xcheck": by_xcheck, "check-grads": by_check_grads},
    "numpy": {"xcheck": by_xcheck},
}
