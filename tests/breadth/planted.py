"""A fault in a function's own backward pass, so that the framework's autodiff returns it.

The parameters go through an identity whose backward pass has all of their gradients, and returns faulty ones. The loss
does not change. The fault draws the same numbers at each call: the gradient stays deterministic.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.breadth.entry import Array, Entry, Params, precision_of
from xcheck.testing.generic_faults import GenericFault, Gradient

Spoil = Callable[[Gradient, Gradient], Gradient]


def planted(
    entry: Entry,
    fault: GenericFault,
    params: Params,
    data: tuple[Any, ...] = (),
    *,
    seed: int = 0,
    truth: Gradient | None = None,
) -> Entry | None:
    """Return the entry with a fault in its gradient.

    Args:
        entry: the function.
        fault: changes the gradient.
        params: where the fault has to make a difference.
        data: what else the loss takes.
        seed: of the fault's own numbers.
        truth: the right gradient at `params`, where it is known already.

    Returns:
        The faulty entry; None where the fault changes nothing at `params`, or where the loss returns an array.
    """
    if entry.array_valued:
        return None
    truth = true_gradient(entry, params, data) if truth is None else truth
    if fault(truth, numbers(params), np.random.default_rng(seed)) is None:
        return None

    def spoil(gradient: Gradient, at: Gradient) -> Gradient:
        faulty = fault(gradient, at, np.random.default_rng(seed))
        return gradient if faulty is None else faulty

    return PLANT[entry.framework](entry, spoil)


def numbers(tensors: Params) -> Gradient:
    """Return arrays of any framework as NumPy's."""
    return {
        name: np.asarray(tensor.detach() if hasattr(tensor, "detach") else tensor) for name, tensor in tensors.items()
    }


def true_gradient(entry: Entry, params: Params, data: tuple[Any, ...]) -> Gradient:
    """Return the gradient by the framework's autodiff, or the one written by hand."""
    if entry.gradient is not None:
        return numbers(entry.gradient(params, *data))
    if entry.framework == "torch":
        return torch_gradient(entry, params, data)
    import jax

    with precision_of("jax"):
        return numbers(jax.jit(jax.grad(entry.loss))(params, *data))


def torch_gradient(entry: Entry, params: Params, data: tuple[Any, ...]) -> Gradient:
    """Return the gradient by torch.autograd."""
    import torch

    with torch.enable_grad():
        leaves = {name: tensor.detach().clone().requires_grad_() for name, tensor in params.items()}
        gradients = torch.autograd.grad(entry.loss(leaves, *data), list(leaves.values()), materialize_grads=True)
    return numbers(dict(zip(leaves, gradients, strict=True)))


def in_numpy(entry: Entry, spoil: Spoil) -> Entry:
    """The gradient written by hand, spoiled."""
    right = entry.gradient
    assert right is not None
    return dataclasses.replace(
        entry, gradient=lambda params, *data: spoil(numbers(right(params, *data)), numbers(params))
    )


def in_torch(entry: Entry, spoil: Spoil) -> Entry:
    """An identity with another backward pass, for torch.autograd.

    Its forward pass can be transformed by `torch.func.vmap`. Its backward pass can't be by `torch.func.grad`, whose
    tensors have no numbers that NumPy could read.
    """
    import torch

    class Faulty(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
        generate_vmap_rule = True

        @staticmethod
        def forward(names: tuple[str, ...], *tensors: Any) -> tuple[Any, ...]:  # noqa: ARG004 - torch's signature
            return tuple(tensor.clone() for tensor in tensors)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:  # noqa: ARG004 - torch's
            ctx.names = inputs[0]
            ctx.save_for_backward(*inputs[1:])

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
            at = numbers(dict(zip(ctx.names, ctx.saved_tensors, strict=True)))
            faulty = spoil(numbers(dict(zip(ctx.names, gradients, strict=True))), at)
            return None, *(torch.from_numpy(np.array(faulty[name])) for name in ctx.names)

    def loss(params: Params, *data: Any) -> Any:
        outputs = Faulty.apply(tuple(params), *params.values())
        return entry.loss(dict(zip(params, outputs, strict=True)), *data)

    return dataclasses.replace(entry, loss=loss)


def in_jax(entry: Entry, spoil: Spoil) -> Entry:
    """An identity with a custom_vjp that calls NumPy."""
    import jax

    def answer(gradient: Params, at: Params) -> dict[str, Array]:
        faulty = spoil(numbers(gradient), numbers(at))
        return {name: np.asarray(faulty[name], dtype=gradient[name].dtype) for name in gradient}

    def backward(at: Params, gradient: Params) -> tuple[Params]:
        shapes = {name: jax.ShapeDtypeStruct(g.shape, g.dtype) for name, g in gradient.items()}
        return (jax.pure_callback(answer, shapes, gradient, at, vmap_method="sequential"),)

    @jax.custom_vjp  # type: ignore[untyped-decorator] # jax is not analysed
    def faulty(params: Params) -> Params:
        return params

    faulty.defvjp(lambda params: (params, params), backward)
    return dataclasses.replace(entry, loss=lambda params, *data: entry.loss(faulty(params), *data))


PLANT: dict[str, Callable[[Entry, Spoil], Entry]] = {"numpy": in_numpy, "torch": in_torch, "jax": in_jax}
