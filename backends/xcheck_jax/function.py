"""JaxFunction: a person's function of JAX arrays, with its gradient by jax.grad and many θ at once by jit(vmap).

JAX differentiates a real loss of a complex w to ∂L/∂Re w − i ∂L/∂Im w; it is conjugated, see
`xcheck.functions.arguments`.

The function is traced anew for each gradient. A jit that is kept would freeze numbers drawn in Python during its trace,
and a random function would look deterministic. Compiled code is used again where the new trace is the same
(`xcheck_jax.programs`). Many θ at once are evaluated by jit(vmap), or by NumPy (`xcheck_jax.batched`).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.backend.batches import ENDS, confirms, evaluate_one_by_one
from xcheck.backend.contract import wrap_errors
from xcheck.backend.cotangents import WEIGHT
from xcheck.backend.function_objective import FunctionObjective
from xcheck.backend.own_parameters import OwnParameters
from xcheck.errors import BackendError, quote
from xcheck.functions.arguments import Leaf, Numbers
from xcheck.layout import Vector
from xcheck.trace import BackwardPass, Nodes, Trace, UntraceableError
from xcheck.trace.absorption import roundoff_of_stairs
from xcheck_jax.arrays import read_numbers
from xcheck_jax.backward import backward_pass_of
from xcheck_jax.batched import BatchedLosses
from xcheck_jax.in_numpy import UnsupportedError
from xcheck_jax.narrow import coarsest_roundoff
from xcheck_jax.nodes.moved import JaxNodes
from xcheck_jax.programs import Program, fingerprint, has_own_rules, program_of
from xcheck_jax.samplers import gradient_along_paths
from xcheck_jax.settings import own_settings
from xcheck_jax.trace import trace_of
from xcheck_jax.traceable import NEEDS_VALUES, contract, jacobian_rows, split_arrays

# Losses that are evaluated one by one before a program of their own is compiled: the gradient's gives them as well.
_SINGLE_LOSSES = 4


class JaxFunction(FunctionObjective):
    """Loss and gradient of a function in JAX."""

    conjugates = pads = True

    def __init__(self, parameters: OwnParameters, device: str, *, cotangent: Any) -> None:
        super().__init__("jax", parameters, cotangent=cotangent)
        self._device = jax.devices(device)[0]
        # By kind of computation: the text of its last trace, and what it was compiled to.
        self._compiled: dict[str, tuple[str, Program]] = {}
        self._value: Callable[..., Any] | None = None
        self._batched = BatchedLosses(self)
        # All outputs of a loss that is an array, not combined with a cotangent.
        self._outputs: BatchedLosses | None = None
        self._jits = self._vmaps = True
        self._settled, self._singles, self._confirmed = False, 0, False
        # Whether the loss has rules for derivatives that are not JAX's own; None before it is known.
        self._has_own_rules: bool | None = None

    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return a JAX array."""
        with own_settings(self._device):
            return jnp.asarray(values, dtype=dtype)

    def modes(self) -> AbstractContextManager[None]:
        """64 bits where they are asked for, and no flag of the caller's."""
        return own_settings(self._device)

    def shape(self) -> tuple[tuple[int, ...], bool]:
        """Return the shape of the loss, and whether it is complex; where possible from a trace, without computing."""
        given, (arrays, whole) = self.own(self.arguments.theta), split_arrays(self.copy_data())
        try:
            with self.modes():
                # The trace is that of `eval_shape`, and tells as well whether the loss has rules of its own.
                trace, value = jax.make_jaxpr(
                    lambda given, arrays: self.call_loss(given, whole(arrays)), return_shape=True
                )(given, arrays)
                self._has_own_rules = has_own_rules(trace.jaxpr)
                return value.shape, jnp.issubdtype(value.dtype, jnp.complexfloating)
        except Exception:  # noqa: BLE001 - what cannot be traced is called
            return super().shape()

    def evaluate(self, theta: Vector) -> float:
        """Return the loss at one θ, by the program of the gradient if that gives it and few are asked for."""
        self._singles += 1
        if self._singles <= _SINGLE_LOSSES and self._gradient_gives_the_loss():
            with wrap_errors(self.backend):
                return self._loss_beside_gradient(theta)
        return super().evaluate(theta)

    def _gradient_gives_the_loss(self) -> bool:
        """Return whether a program is there that computes the gradient, and the same loss beside it.

        A rule for a derivative of a person's own may compute another value on the way than the function does without
        it. That is a mistake, which would not be seen if the oracle were to difference that value.
        """
        if "gradient" not in self._compiled:
            return False
        if self._has_own_rules is None:
            arrays, whole = split_arrays(self.shared_data())
            with own_settings(self._device):
                given = self.own(self.arguments.theta)
                traced = jax.make_jaxpr(lambda given, arrays: self.call_loss(given, whole(arrays)))(given, arrays)
            self._has_own_rules = has_own_rules(traced.jaxpr)
        return not self._has_own_rules

    def _loss_beside_gradient(self, theta: Vector) -> float:
        """Return the loss at one θ by the program of the gradient, without a new trace."""
        arrays, _ = split_arrays(self.shared_data())
        with own_settings(self._device):
            (_, value), _ = self._compiled["gradient"][1](self.own(theta), arrays, self._cotangent(), None)
        return self.number(value)

    def settle(self) -> None:
        """Trace the function no more: it is known to be one, and its derivatives are asked for hundreds of times."""
        self._settled = True

    def value(self, params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Return the loss."""
        arrays, whole = split_arrays(data)
        with own_settings(self._device):
            if self._jits:
                try:
                    if self._value is None:
                        self._value = jax.jit(lambda params, arrays: self.call_loss(params, whole(arrays)))
                    return self._value(params, arrays)
                except NEEDS_VALUES:
                    self._jits = False
            return self.call_loss(params, data)

    def value_and_gradient(
        self, params: Mapping[str, Any], data: tuple[Any, ...]
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Return the loss and what jax.grad says, conjugated where it is complex."""

        def scalar(given: Mapping[str, Any], data: tuple[Any, ...], cotangent: Any, _: Any) -> tuple[Any, Any]:
            value = self.call_loss(given, data)
            return WEIGHT * contract(value, cotangent), value

        # The loss of the same call: a second call could be another function.
        differentiated = jax.value_and_grad(scalar, has_aux=True)
        (_, value), gradient = self._run("gradient", differentiated, params, data)
        return self.number(value), {
            name: np.conj(read_numbers(part).values) / WEIGHT for name, part in gradient.items()
        }

    def trace(self) -> Trace:
        """Return the operations of the loss at θ."""
        return trace_of(self._trace()[0])

    def gradient_trace(self) -> Trace:
        """Return the operations of jax.grad at θ, conjugated where it is complex."""

        def conjugated(loss: Callable[[Any], Any]) -> Callable[[Any], Any]:
            return lambda arrays: jax.tree.map(jax.numpy.conj, jax.grad(loss)(arrays))

        return trace_of(self._trace(conjugated)[0])

    def backward_pass(self) -> BackwardPass:
        """Return what the backward pass of jax.grad does at θ, operation by operation."""
        return backward_pass_of(*self._trace(), self._device)

    def nodes(self) -> Nodes:
        """Return the values that the parameters act on linearly, at θ."""
        self.traced_arrays(self.arguments.theta)  # refuses what is complex
        closed, arrays = self._trace()
        return JaxNodes(
            closed, dict(zip(self.parameters.naming.canonical, arrays, strict=True)), self.flat, self._device
        )

    def _trace(self, of: Callable[[Any], Any] = lambda loss: loss) -> tuple[Any, list[Any]]:
        """Return a trace of the loss, or of what is made of it, and θ by tensors."""
        data, names = self.copy_data(), list(self.parameters.naming.canonical)
        with own_settings(self._device):
            own, cotangent = self.own(self.arguments.theta), self._cotangent()
            arrays = [own[name] for name in names]

            def loss(arrays: Sequence[Any]) -> Any:
                return contract(self.call_loss(dict(zip(names, arrays, strict=True)), data), cotangent)

            try:
                return jax.make_jaxpr(of(loss))(arrays), arrays
            except NEEDS_VALUES as error:
                raise UntraceableError(f"it cannot be traced: {quote(error)}") from error

    def narrow(self) -> float | None:
        """Return the coarsest unit roundoff of a narrow result in the loss, 0 without one; None where numbers leave."""
        given, data = self.own(self.arguments.theta), self.copy_data()
        with own_settings(self._device):
            found = coarsest_roundoff(lambda given: self.call_loss(given, data), given) if self._jits else None
        return roundoff_of_stairs(self.trace, self.traced_arrays, self.arguments.theta) if found == 0 else found

    def gradient_along_paths(self, theta: Vector) -> Vector | None:
        """Return the gradient with the slope of each sample along its own random numbers; None without samplers."""
        params, data = self.own(theta), self.copy_data()
        with own_settings(self._device):
            if not self._jits:
                return None  # what cannot be traced cannot be looked into
            cotangent = self._cotangent()
            gradient = gradient_along_paths(lambda given: contract(self.call_loss(given, data), cotangent), params)
            if gradient is None:
                return None
            return self.flat({name: np.conj(read_numbers(part).values) for name, part in gradient.items()})

    def second(
        self, params: Mapping[str, Any], vector: Mapping[str, Any], data: tuple[Any, ...]
    ) -> Mapping[str, Numbers | None]:
        """Return H v: the gradient of Re ⟨g, v⟩."""

        def along(given: Mapping[str, Any], data: tuple[Any, ...], cotangent: Any, vector: Mapping[str, Any]) -> Any:
            # JAX's gradient is ḡ, so that Re Σ ḡ v needs no conjugate.
            gradient = jax.grad(lambda given: contract(self.call_loss(given, data), cotangent))(given)
            parts = jax.tree.map(lambda g, v: jnp.real(jnp.sum(g * v)), dict(gradient), dict(vector))
            return sum(jax.tree.leaves(parts))

        products = self._run("second", jax.grad(along), params, data, dict(vector))
        return {name: np.conj(read_numbers(part).values) for name, part in products.items()}

    def _run(
        self,
        name: str,
        function: Callable[..., Any],
        params: Mapping[str, Any],
        data: tuple[Any, ...],
        vector: Mapping[str, Any] | None = None,
    ) -> Any:
        """Trace a function, compile it unless the trace is that of the last call, and run it.

        A function that cannot be traced is called as it is; one that is settled is not traced again.
        """
        arrays, whole = split_arrays(data)
        with own_settings(self._device):
            cotangent = self._cotangent()
            if not self._jits:
                return function(params, data, cotangent, vector)
            if self._settled and name in self._compiled:
                return self._compiled[name][1](params, arrays, cotangent, vector)
            try:
                # A new function each time: jax.jit remembers the traces of those it has seen.
                jitted = jax.jit(lambda params, arrays, v, vector: function(params, whole(arrays), v, vector))
                traced = jitted.trace(params, arrays, cotangent, vector)
            except NEEDS_VALUES:
                self._jits = False
                return function(params, data, cotangent, vector)
            text = fingerprint(traced.jaxpr)
            if name not in self._compiled or self._compiled[name][0] != text:
                self._compiled[name] = (text, program_of(traced, self._device, text))
            return self._compiled[name][1](params, arrays, cotangent, vector)

    def _cotangent(self) -> Any:
        return None if self.cotangent is None else jnp.asarray(self.cotangent)

    # --- many θ at once ---------------------------------------------------------------------------------------------

    def batch(self, thetas: Vector) -> Vector | None:
        """Return the losses by jit(vmap); None where that is impossible."""
        if not self._vmaps:
            return None
        if self.engine == "loop":
            losses = self._try_vmap(thetas)
            self._vmaps = losses is not None
            return losses
        with self.modes():
            return self._batched.at(thetas, self._cotangent(), self.width)

    def _try_vmap(self, thetas: Vector) -> Vector | None:
        """Return the losses by vmap; None if the first or the last of them is not that of a single call."""
        # Where the gradient has been compiled, it gives the loss as well.
        single = self._loss_beside_gradient if self._gradient_gives_the_loss() else self.evaluate
        plain = evaluate_one_by_one(single, thetas[ENDS], self.backend)
        with own_settings(self._device):
            cotangent = self._cotangent()
        for in_numpy in (True, False):
            try:
                if in_numpy:
                    losses = self._batched.by_numpy(thetas, cotangent)
                else:
                    losses = self._batched.by_vmap(thetas, cotangent, self.width)
            except UnsupportedError:
                continue
            except Exception as error:  # noqa: BLE001 - whatever vmap cannot do, a loop can
                self.engine = f"loop (jax.vmap: {type(error).__name__})"
                return None
            if confirms(losses[ENDS], plain, wide=self.is_float64):
                self.engine, self._batched.in_numpy = "jax.vmap", in_numpy
                return losses
        self.engine = "loop (jax.vmap gives other losses)"
        return None

    def outputs(self, thetas: Vector) -> Vector | None:
        """Return all outputs by NumPy or jit(vmap), shape (k, outputs), else by calls one by one."""
        self._outputs = self._outputs or BatchedLosses(self, in_numpy=self._batched.in_numpy)
        try:
            with wrap_errors(self.backend):
                found = self._if_confirmed(self._outputs.at(thetas), thetas)
        except BackendError:
            found = None  # whatever vmap cannot do, a loop can
        return super().outputs(thetas) if found is None else found

    def _if_confirmed(self, found: Vector, thetas: Vector) -> Vector | None:
        """Return all outputs, shape (k, outputs), if the first row is what a call of its own gives."""
        rows = found.reshape(len(thetas), -1)
        if not self._confirmed:
            single = self._all_numbers(self.value(self.own(thetas[0]), self.shared_data()))
            self._confirmed = confirms(rows[0], single, wide=self.is_float64)
        return rows if self._confirmed else None

    def jacobian(self, theta: Vector) -> tuple[Vector, Vector] | None:
        """Return all outputs at θ and their gradients by jax.vjp, shapes (outputs,) and (outputs, n), or None."""
        rows = jacobian_rows(self.call_loss, WEIGHT)
        try:
            value, found = self._run("jacobian", rows, self.own(theta), self.copy_data())
        except Exception:  # noqa: BLE001 - each row is asked for by itself, and says why it cannot be batched
            return None
        named = {name: np.conj(read_numbers(part).values) / WEIGHT for name, part in found.items()}
        values = self._all_numbers(value)
        return values, self.flat_rows(named, values.size)
