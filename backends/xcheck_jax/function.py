"""A person's own function of JAX arrays: the gradient by jax.grad, many θ at once by jit(vmap).

JAX differentiates a real loss of a complex w to ∂L/∂Re w − i ∂L/∂Im w; it is conjugated, see
`xcheck.functions.arguments`.

Each gradient traces the function anew: under a jit that is kept, numbers drawn in Python while tracing would be frozen,
and a random function would look deterministic. Compiled code is kept for as long as the trace is the same.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.backend.batches import confirms
from xcheck.backend.function_objective import WEIGHT, FunctionObjective
from xcheck.backend.own_parameters import OwnParameters
from xcheck.functions.arguments import Leaf, Numbers
from xcheck.functions.tree import leaves, rebuild
from xcheck.layout import Vector
from xcheck_jax.settings import own_settings

# What a function raises that looks at its values (`if loss > 0`) or leaves JAX while it is traced.
_NEEDS_VALUES = (jax.errors.JAXTypeError, jax.errors.JAXIndexError, NotImplementedError)


def numbers(value: jax.Array) -> Leaf:
    """Return the numbers of a JAX array."""
    dtype = value.dtype.name
    array = np.asarray(value)
    if jnp.issubdtype(value.dtype, jnp.inexact):
        array = array.astype(np.complex128 if jnp.issubdtype(value.dtype, jnp.complexfloating) else np.float64)
    return Leaf(array, dtype, "jax", value)


class JaxFunction(FunctionObjective):
    """Loss and gradient of a function in JAX."""

    conjugates = True

    def __init__(self, parameters: OwnParameters, device: str, *, cotangent: Any) -> None:
        super().__init__("jax", parameters, cotangent=cotangent)
        self._device = jax.devices(device)[0]
        self._compiled: dict[str, tuple[str, Callable[..., Any]]] = {}
        self._value: Callable[..., Any] | None = None
        self._mapping: Callable[..., Any] | None = None
        self._jits = self._vmaps = True

    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return a JAX array."""
        with own_settings(self._device):
            # A key of random numbers, or what else JAX has as its own, is never written to.
            return jnp.asarray(values, dtype=dtype)

    def modes(self) -> AbstractContextManager[None]:
        """64 bits where they are asked for, and no flag of the caller's."""
        return own_settings(self._device)

    def shape(self) -> tuple[tuple[int, ...], bool]:
        """Return the shape of the loss, and whether it is complex; found by tracing alone where that is possible."""
        given, (arrays, whole) = self.own(self.arguments.theta), _split(self.copy_data())
        try:
            with self.modes():
                found = jax.eval_shape(lambda given, arrays: self.call_loss(given, whole(arrays)), given, arrays)
                return found.shape, jnp.issubdtype(found.dtype, jnp.complexfloating)
        except Exception:  # noqa: BLE001 - what cannot be traced is called
            return super().shape()

    def value(self, params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Return the loss."""
        arrays, whole = _split(data)
        with own_settings(self._device):
            if self._jits:
                try:
                    if self._value is None:
                        self._value = jax.jit(lambda params, arrays: self.call_loss(params, whole(arrays)))
                    return self._value(params, arrays)
                except _NEEDS_VALUES:
                    self._jits = False
            return self.call_loss(params, data)

    def value_and_gradient(
        self, params: Mapping[str, Any], data: tuple[Any, ...]
    ) -> tuple[float, Mapping[str, Numbers | None]]:
        """Return the loss and what jax.grad says, conjugated where it is complex."""

        def scalar(given: Mapping[str, Any], data: tuple[Any, ...], cotangent: Any) -> tuple[Any, Any]:
            value = self.call_loss(given, data)
            return WEIGHT * _contracted(value, cotangent), value

        differentiated = jax.value_and_grad(scalar, has_aux=True)
        (_, value), gradient = self._run("gradient", differentiated, params, data)
        return self.number(value), {name: np.conj(numbers(part).values) / WEIGHT for name, part in gradient.items()}

    def second(
        self, params: Mapping[str, Any], vector: Mapping[str, Any], data: tuple[Any, ...]
    ) -> Mapping[str, Numbers | None]:
        """Return H v: the gradient of Re ⟨g, v⟩."""

        def along(given: Mapping[str, Any], data: tuple[Any, ...], cotangent: Any) -> Any:
            # JAX's gradient is ḡ, so that Re Σ ḡ v needs no conjugate.
            found = jax.grad(lambda given: _contracted(self.call_loss(given, data), cotangent))(given)
            parts = jax.tree.map(lambda g, v: jnp.real(jnp.sum(g * v)), found, dict(vector))
            return sum(jax.tree.leaves(parts))

        found = self._run("second", jax.grad(along), params, data)
        return {name: np.conj(numbers(part).values) for name, part in found.items()}

    def _run(self, name: str, function: Callable[..., Any], params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Trace, compile unless the same has been compiled before, and run; eagerly where tracing is impossible."""
        arrays, whole = _split(data)
        with own_settings(self._device):
            cotangent = self._cotangent()
            if not self._jits:
                return function(params, data, cotangent)
            try:
                # A new function each time: jax.jit remembers the traces of those it has seen.
                jitted = jax.jit(lambda params, arrays, cotangent: function(params, whole(arrays), cotangent))
                traced = jitted.trace(params, arrays, cotangent)
            except _NEEDS_VALUES:
                self._jits = False
                return function(params, data, cotangent)
            text = _text(traced.jaxpr)
            if name not in self._compiled or self._compiled[name][0] != text:
                self._compiled[name] = (text, traced.lower().compile())
            return self._compiled[name][1](params, arrays, cotangent)

    def _cotangent(self) -> Any:
        return None if self.cotangent is None else jnp.asarray(self.cotangent)

    # --- many θ at once ---------------------------------------------------------------------------------------------

    def batch(self, thetas: Vector) -> Vector | None:
        """Return the losses by jit(vmap); None where that is impossible."""
        if not self._vmaps:
            return None
        if self.engine == "loop":
            self._vmaps = self._tried(thetas[:2])
            return self.batch(thetas)
        return self._mapped(thetas)

    def _tried(self, thetas: Vector) -> bool:
        """Return whether the vmapped loss gives what the plain one gives."""
        # Where the gradient has been compiled, it gives the loss as well.
        compiled = "gradient" in self._compiled
        plain = [self.compute(theta)[0] if compiled else self.evaluate(theta) for theta in thetas]
        try:
            found = self._mapped(thetas)
        except Exception as error:  # noqa: BLE001 - whatever vmap cannot do, a loop can
            self.engine = f"loop (jax.vmap: {type(error).__name__})"
            return False
        if not confirms(found, plain, wide=self.parameters.wide):
            self.engine = "loop (jax.vmap gives other losses)"
            return False
        self.engine = "jax.vmap"
        return True

    def _mapped(self, thetas: Vector) -> Vector:
        arrays, whole = _split(self.shared_data())
        with own_settings(self._device):
            if self._mapping is None:
                # The data are put together from what is traced; what of them is no array is the same in every call.
                at = jax.vmap(lambda theta, arrays, v: self._at(theta, whole(arrays), v), (0, None, None))
                self._mapping = jax.jit(at)
            # Repetitions fill up a short batch, so that there is one compilation.
            rows = np.resize(thetas, (max(self.width, len(thetas)), self.size))
            found = self._mapping(jnp.asarray(rows), arrays, self._cotangent())
            return np.asarray(found, dtype=np.float64)[: len(thetas)]

    def _at(self, theta: jax.Array, data: tuple[Any, ...], cotangent: Any) -> Any:
        """Return the loss at θ, all of it in JAX."""
        parts = self.parameters.at(theta)
        own = {name: jnp.asarray(part, self.parameters.dtype(name)) for name, part in parts.items()}
        return _contracted(self.call_loss(own, data), cotangent)


def _contracted(value: Any, cotangent: Any) -> Any:
    """Return Re Σ v̄ y, or the one number that there is."""
    if cotangent is None:
        return jnp.reshape(value, ()) if jnp.size(value) == 1 else value
    return jnp.real(jnp.sum(jnp.conj(cotangent) * value))


def _split(data: tuple[Any, ...]) -> tuple[dict[str, Any], Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    """Return what of the data JAX can trace, and how to put all of it together again."""
    arrays = {name: value for name, value in leaves(data).items() if isinstance(value, jax.Array)}
    return arrays, lambda traced: rebuild(data, traced)


def _text(jaxpr: Any) -> str:
    """Return what tells two traces apart: operations and constants."""
    digest = hashlib.blake2b()
    for constant in jaxpr.consts:
        digest.update(np.asarray(constant).tobytes() if isinstance(constant, jax.Array | np.ndarray) else b"?")
    return f"{jaxpr.jaxpr} {digest.hexdigest()}"
