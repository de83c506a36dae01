"""TorchFunction: a person's function of tensors, or a module, with its gradient by autograd and many θ by vmap."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xcheck.backend.batches import ENDS, confirms, evaluate_one_by_one
from xcheck.backend.contract import wrap_errors
from xcheck.backend.cotangents import WEIGHT, CotangentFault
from xcheck.backend.function_objective import FunctionObjective
from xcheck.backend.own_parameters import OwnParameters
from xcheck.functions.arguments import Leaf, Numbers, place_inputs
from xcheck.layout import Vector
from xcheck.trace import BackwardPass, Trace, UntraceableError
from xcheck.trace.absorption import roundoff_of_stairs
from xcheck_torch.cotangents import (
    Arrange,
    Gradient,
    arrangements_of,
    find_faults,
    intercept,
    name_of,
    own_backward_passes,
)
from xcheck_torch.embeddings import UndoneOptions, changed_nodes
from xcheck_torch.inputs import own_code_behind
from xcheck_torch.modes import few_threads, own_modes, training_cautions
from xcheck_torch.modules import call_module
from xcheck_torch.narrow import WatchedDtypes, WatchedExits
from xcheck_torch.rows import gradient_rows
from xcheck_torch.samplers import PathSlopes
from xcheck_torch.tensors import describe_hooks, fill_in, gradient_hooks, lay_out, pull_back, view_numbers
from xcheck_torch.vmaps import LossMap

# What torch calls the devices of xcheck.
_DEVICES = {"cpu": "cpu", "gpu": "cuda"}


class TorchFunction(FunctionObjective):
    """Loss and gradient of a function in PyTorch."""

    def __init__(self, parameters: OwnParameters, device: str, *, cotangent: Any) -> None:
        super().__init__("torch", parameters, cotangent=cotangent)
        self._device = torch.device(_DEVICES[device])
        self._vmaps, self._mapped = True, LossMap()
        self._kept: tuple[Vector, dict[str, Tensor]] | None = None
        self._tried: set[frozenset[str]] = set()
        # Names of a person's own backward passes that are to be tried; None before they are known.
        self._untried: tuple[str, ...] | None = None
        self._undone: set[str] = set()
        module = parameters.function.module
        self._of_module: dict[str, Tensor] = {} if module is None else dict(module.named_parameters())

    def cautions(self) -> list[str]:
        """Name the layers of a module in training mode that are random, or depend on the whole batch."""
        return [] if self.function.module is None else training_cautions(self.function.module)

    def hooks(self) -> list[str]:
        """Say which parameters have hooks: those on the gradient are part of it, those that run later are not."""
        # Beside a gradient by hand no hook is run.
        names = [] if self.function.hand_written else self.parameters.naming.canonical
        return [text for name in names for text in describe_hooks(name, self._own_source(name))]

    def own_code_behind_inputs(self) -> list[str]:
        """Return what of a person's own code the gradient of a module's inputs passes through."""
        module, data = self.function.module, self.copy_data()
        if module is None:
            return []
        with self.modes():
            call = partial(self.call_loss, self.own(self.arguments.theta), data)
            return own_code_behind(module, data[: self.function.inputs], call)

    def undone(self) -> list[str]:
        """Say which options of embeddings were undone in the gradient."""
        return sorted(self._undone)

    def _own_source(self, name: str) -> object:
        """Return a person's own tensor: of a module its own parameter, whatever params holds."""
        own = self._of_module.get(name)
        return self.parameters.source(name).source if own is None else own

    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return a tensor; where the source is one, on its device and laid out like it."""
        source = leaf.source
        if values.ndim and _is_plain(leaf, dtype):
            return torch.from_numpy(values).clone(memory_format=torch.contiguous_format)
        if leaf.stored:
            return source.detach().to(getattr(torch, dtype), copy=True)
        device = source.device if isinstance(source, Tensor) else self._device
        tensor = torch.as_tensor(values, device=device).to(getattr(torch, dtype))
        return lay_out(tensor, source) if isinstance(source, Tensor) else tensor.clone()

    def maker(self, leaf: Leaf, dtype: str) -> Callable[[Numbers], Any]:
        """Return `values -> array(values, leaf, dtype)`: in the usual case a copy, and no more."""
        return (
            (lambda values: torch.from_numpy(values).clone()) if _is_plain(leaf, dtype) else super().maker(leaf, dtype)
        )

    def view(self, value: Any) -> Numbers | None:
        """Return the numbers of a tensor, maybe where they lie."""
        return view_numbers(value) if isinstance(value, Tensor) else super().view(value)

    def number(self, value: Any) -> float:
        """Return the loss as a number, or Re Σ v̄ y."""
        # The usual case, for every loss of a small function.
        if self.cotangent is None and type(value) is Tensor and value.dtype is torch.float64 and value.numel() == 1:
            return float(view_numbers(value).reshape(()))
        return super().number(value)

    def call_loss(self, given: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Call the module, if there is one, and the loss of its outputs; otherwise the loss."""
        function = self.function
        if function.module is None:
            return super().call_loss(given, data)
        own = {name: tensor for name, tensor in given.items() if name not in self.arguments.inputs}
        placed = place_inputs(data, given)
        parameters = {**self.own_frozen(), **own}
        return self.require_loss(call_module(function, parameters, placed, wide=self.parameters.wide))

    def modes(self) -> AbstractContextManager[None]:
        """With gradients, without autocast."""
        return own_modes(self._device)

    def value(self, params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Return the loss."""
        with self.modes():
            # A loss may itself differentiate with respect to its parameters.
            value = self.call_loss({name: tensor.requires_grad_() for name, tensor in params.items()}, data)
            return value.detach() if isinstance(value, Tensor) else value

    def value_and_gradient(
        self, params: Mapping[str, Any], data: tuple[Any, ...]
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Return the loss and what autograd says."""
        return self._differentiate(params, data)

    def try_cotangents(self, theta: Vector) -> list[CotangentFault]:
        """Try a person's own backward passes with cotangents that lie in memory in other ways, or are missing."""
        if "vjp" in self.function.forms:
            return super().try_cotangents(theta)
        # Once: the outputs of a Jacobian have the same backward passes.
        names, self._untried = self._untried, ()
        if not names:
            return []

        def differentiate(arrange: Arrange, names: Sequence[str] | None) -> Gradient:
            before = partial(intercept, arrange=arrange, names=names)
            return self._differentiate(self.own(theta), self.copy_data(), before)[1]

        return find_faults(differentiate, names, self.arguments.roundoff)

    def arrangements(self, cotangent: Any) -> list[tuple[str, Any]]:
        """Return a tensor with gaps, and with its axes in another order, in memory."""
        return arrangements_of(cotangent)

    def trace(self) -> Trace:
        """Return the operations of the loss at θ."""
        return self._trace(lambda loss, tensors: [loss])

    def gradient_trace(self) -> Trace:
        """Return the operations of the loss and of autograd at θ."""

        def differentiate(loss: Tensor, tensors: Mapping[str, Tensor]) -> Sequence[Tensor]:
            if not loss.requires_grad:
                return [torch.zeros_like(tensor) for tensor in tensors.values()]
            UndoneOptions(tensors).undo_below(loss)
            found: Sequence[Tensor] = torch.autograd.grad(
                loss, list(tensors.values()), allow_unused=True, materialize_grads=True
            )
            return found

        if self.function.hand_written:
            raise UntraceableError("the gradient is written by hand")
        return self._trace(differentiate)

    def backward_pass(self) -> BackwardPass:
        """Return what autograd does with the loss at θ, call by call."""
        # Only a gradient that is wrong needs it.
        from xcheck_torch.backward import show_backward_pass

        if self.function.hand_written:
            raise UntraceableError("the gradient is written by hand")
        data = self.copy_data()
        with own_modes(self._device):
            tensors = {name: tensor.requires_grad_() for name, tensor in self.own(self.arguments.theta).items()}
            hooks = {name: gradient_hooks(self._own_source(name)) for name in tensors}
            return show_backward_pass(lambda: self.call_loss(tensors, data), self._to_scalar, tensors, hooks)

    def _trace(self, what: Callable[[Tensor, Mapping[str, Tensor]], Sequence[Tensor]]) -> Trace:
        # It takes a while to import, and only proofs need it.
        from xcheck_torch.trace import trace_of

        data = self.copy_data()
        with self.modes():
            tensors = self._differentiable(self.own(self.arguments.theta))

            def call() -> Sequence[Tensor]:
                value = self.call_loss(tensors, data)
                scalar = self._to_scalar(value) if isinstance(value, Tensor) else torch.as_tensor(value)
                if scalar.numel() != 1:
                    raise UntraceableError("the loss is no single number")
                return what(scalar, tensors)

            return trace_of(call, list(tensors.values()))

    def narrow(self) -> float | None:
        """Return the coarsest unit roundoff of a narrow result in the loss, 0 without one; None where numbers leave."""
        with WatchedExits() as exits, WatchedDtypes() as dtypes:
            self.value(self.own(self.arguments.theta), self.copy_data())
        if dtypes.coarsest or exits.left:
            return dtypes.coarsest or None
        return roundoff_of_stairs(self.trace, self.traced_arrays, self.arguments.theta)

    def gradient_along_paths(self, theta: Vector) -> Vector | None:
        """Return the gradient with the slope of each sample along its own random numbers; None without samplers."""
        with PathSlopes() as slopes:
            _, gradient = self._differentiate(self.own(theta), self.copy_data(), slopes.put_below)
        return self.flat(gradient) if slopes.met else None

    def _differentiate(
        self,
        params: Mapping[str, Any],
        data: tuple[Any, ...],
        before: Callable[[Tensor], None] | None = None,
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Return loss and gradient; `before` is called with the loss before it is differentiated."""
        with own_modes(self._device):
            tensors = self._differentiable(params)
            options = UndoneOptions(tensors)
            value = self.call_loss(tensors, data)
            number = self.number(value)
            scalar = self._to_scalar(value) if isinstance(value, Tensor) else value
            # A loss that was detached, or computed outside torch, depends on nothing as far as autograd knows.
            if not isinstance(scalar, Tensor) or not scalar.requires_grad:
                return number, dict.fromkeys(tensors)
            if self._untried is None:
                self._untried = tuple(dict.fromkeys(name_of(node) for node in own_backward_passes(scalar)))
            if before is not None:
                before(scalar)
            options.undo_below(scalar)
            gradient = pull_back(scalar, tensors, torch.full_like(scalar, WEIGHT))
        self._undone |= options.notes
        return number, gradient

    def jacobian(self, theta: Vector) -> tuple[Vector, Vector] | None:
        """Return all outputs at θ and their gradients, shapes (outputs,) and (outputs, n); or None.

        A backward pass of the person's own may not bear to be called twice for one forward pass, as no training does
        it: then each output has a forward pass of its own. So it has where options of embeddings are to be undone.
        """
        given, data = self.own(theta), self.copy_data()
        with wrap_errors(self.backend), own_modes(self._device):
            tensors = self._differentiable(given)
            value = self.call_loss(tensors, data)
            if not isinstance(value, Tensor) or not value.requires_grad:
                return None
            if own_backward_passes(value) or changed_nodes(value):
                return None
            outputs = value.reshape(-1)
            rows = gradient_rows(outputs, tensors)
            values = self._all_numbers(value)
        self.note_writing(theta, given, data)
        self.unused = frozenset(name for name, part in rows.items() if part is None)
        return values, self.flat_rows(rows, len(outputs))

    def _differentiable(self, params: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the parameters as tensors that gradients are wanted of, with the hooks that the person's own have."""
        tensors = {name: tensor.requires_grad_() for name, tensor in params.items()}
        for name, tensor in tensors.items():
            for hook in gradient_hooks(self._own_source(name)):
                tensor.register_hook(hook)
        return tensors

    def second(
        self, params: Mapping[str, Any], vector: Mapping[str, Any], data: tuple[Any, ...]
    ) -> Mapping[str, Numbers | None]:
        """Return H v: the gradient of Re ⟨g, v⟩."""
        # Zeros are left out below: a part of g that is constant has no graph to differentiate.
        with own_modes(self._device):
            tensors = {name: tensor.requires_grad_() for name, tensor in params.items()}
            value = self.call_loss(tensors, data)
            if not isinstance(value, Tensor) or not value.requires_grad:
                return dict.fromkeys(tensors)
            scalar, inputs = self._to_scalar(value), list(tensors.values())
            UndoneOptions(tensors).undo_below(scalar)
            first = torch.autograd.grad(scalar, inputs, create_graph=True, allow_unused=True)
            along = [
                torch.real((part.conj() * vector[name]).sum() + 0j)  # torch.real takes complex numbers only
                for name, part in zip(tensors, first, strict=True)
                if part is not None and part.requires_grad
            ]
            if not along:
                return dict.fromkeys(tensors)
            products = torch.autograd.grad(sum(along), inputs, allow_unused=True)
        return {name: None if part is None else fill_in(part) for name, part in zip(tensors, products, strict=True)}

    def _to_scalar(self, value: Tensor) -> Tensor:
        """Return Re Σ v̄ y as a tensor; without a cotangent the value, which should be one number."""
        if self.cotangent is None:
            return value.reshape(()) if value.numel() == 1 else value
        cotangent = torch.as_tensor(np.conj(self.cotangent), device=value.device)
        # In the precision of y: a cotangent in float64 would widen what is computed in float32.
        kind = torch.promote_types(value.dtype, torch.complex64) if cotangent.is_complex() else value.dtype
        product = (cotangent.to(kind) * value).sum()
        return torch.real(product) if product.is_complex() else product

    # --- many θ at once ---------------------------------------------------------------------------------------------

    def batch(self, thetas: Vector) -> Vector | None:
        """Return the losses by torch.func.vmap; None where an operation has no batching rule."""
        own = self.parameters
        stacked = own.stack(thetas)
        given = {name: self.array(part, own.source(name), own.dtype(name)) for name, (part, _) in stacked.items()}
        varied = frozenset(name for name, (_, differs) in stacked.items() if differs)
        return self._try_vmap(given, varied, lambda: thetas[ENDS])

    @property
    def moved(self) -> Callable[[Vector, NDArray[np.intp], Vector], Vector] | None:
        """θ, components (k,) of one tensor and values (k,) -> losses (k,): one tensor alone is there k times."""
        return self._move_components

    def _move_components(self, theta: Vector, places: NDArray[np.intp], values: Vector) -> Vector:
        # k whole θ of n numbers each need k times the memory of the parameters; here one tensor alone is there k times.
        part = next(tensor for tensor in self.arguments.layout if tensor.span.start <= places[0] < tensor.span.stop)
        name = self.parameters.own_name(part.name)
        # Complex arrays and those with other axes come from whole θ.
        if name is None or len(places) < 2:
            return self.losses(self._make_points(theta, places, values))
        given = self._arrays_at(theta)
        rows = given[name].reshape(1, -1).repeat(len(places), 1)
        inside = torch.as_tensor(places - part.offset, device=rows.device)
        rows[torch.arange(len(places), device=rows.device), inside] = torch.as_tensor(values).to(rows)
        given[name] = rows.reshape(len(places), *given[name].shape)
        with wrap_errors(self.backend):
            losses = self._try_vmap(
                given, frozenset([name]), lambda: self._make_points(theta, places[ENDS], values[ENDS])
            )
        return self.losses(self._make_points(theta, places, values)) if losses is None else losses

    def _arrays_at(self, theta: Vector) -> dict[str, Tensor]:
        """Return the own arrays at θ; they are kept for the next call, unless the function writes into them."""
        if self.overwritten or self._kept is None or not np.array_equal(self._kept[0], theta):
            self._kept = (theta.copy(), self.own(theta))
        return dict(self._kept[1])

    def _make_points(self, theta: Vector, places: NDArray[np.intp], values: Vector) -> Vector:
        """Return one whole θ for each place, shape (k, n), with its value there."""
        points = np.repeat(theta[None], len(places), axis=0)
        points[np.arange(len(places)), places] = values
        return points

    def _try_vmap(
        self, given: Mapping[str, Tensor], varied: frozenset[str], ends: Callable[[], Vector]
    ) -> Vector | None:
        """Return the losses by vmap; None if it cannot give them, and from then on.

        Args:
            given: the parameters by own name; those that differ have an axis more, in front.
            varied: names of those that differ. What vmap can do depends on them, so that its losses are compared with
                those of single calls once for each such set.
            ends: returns the first and the last θ, for that comparison.
        """
        if not self._vmaps or not varied:
            return None
        try:
            with own_modes(self._device), torch.no_grad(), few_threads(self._numbers_in_batch(given, varied)):
                losses = self._mapped(self._scalar_loss, given, varied)
        except Exception as error:  # noqa: BLE001 - whatever vmap cannot do, a loop can
            self._vmaps, self.engine = False, f"loop (torch.func.vmap: {type(error).__name__})"
            return None
        if varied not in self._tried:
            self._tried.add(varied)
            singly = evaluate_one_by_one(self.evaluate, ends(), self.backend)
            if not confirms(losses[ENDS], singly, wide=self.is_float64):
                self._vmaps, self.engine = False, "loop (torch.func.vmap gives other losses)"
                return None
        self.engine = "torch.func.vmap"
        return np.asarray(losses)

    def _numbers_in_batch(self, given: Mapping[str, Tensor], varied: frozenset[str]) -> int:
        """Return how many numbers a batch begins with: those that differ, and the rest beside each of them."""
        rows = len(given[next(iter(varied))])
        once = sum(tensor.numel() for name, tensor in given.items() if name not in varied)
        return sum(given[name].numel() for name in varied) + rows * (once + self.arguments.data_size)

    def _scalar_loss(self, given: dict[str, Tensor]) -> Tensor:
        value = self.call_loss(given, self.shared_data())
        scalar = self._to_scalar(value)
        if scalar.numel() != 1:
            self.number(scalar)  # raises, with the shape
        return scalar


def _is_plain(leaf: Leaf, dtype: str) -> bool:
    """Return whether a copy of the numbers of a leaf is a tensor like it: the usual case."""
    source = leaf.source
    if dtype != leaf.dtype or dtype != "float64" or leaf.stored or not isinstance(source, Tensor):
        return False
    return source.device.type == "cpu" and source.is_contiguous() and not source.storage_offset()
