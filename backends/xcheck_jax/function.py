"""JaxFunction: a person's function of JAX arrays, with its gradient by jax.grad and many θ at once by jit(vmap).

JAX differentiates a real loss of a complex w to ∂L/∂Re w − i ∂L/∂Im w; it is conjugated, see
`xcheck.functions.arguments`.

The function is traced anew for each gradient. A jit that is kept would freeze numbers drawn in Python during its trace,
and a random function would look deterministic. Compiled code is used again where the new trace is the same.
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


def read_leaf(value: jax.Array) -> Leaf | None:
    """Return the numbers of a JAX array; None for random keys, which hold none that could be moved or compared."""
    if jnp.issubdtype(value.dtype, jax.dtypes.extended):
        return None
    return _read_numbers(value)


def _read_numbers(value: jax.Array) -> Leaf:
    dtype = value.dtype.name
    array = np.asarray(value)
    if jnp.issubdtype(value.dtype, jnp.inexact):
        # float64 holds the numbers of all narrower dtypes exactly.
        array = array.astype(np.complex128 if jnp.issubdtype(value.dtype, jnp.complexfloating) else np.float64)
    return Leaf(array, dtype, "jax", value)


class JaxFunction(FunctionObjective):
    """Loss and gradient of a function in JAX."""

    conjugates = True

    def __init__(self, parameters: OwnParameters, device: str, *, cotangent: Any) -> None:
        super().__init__("jax", parameters, cotangent=cotangent)
        self._device = jax.devices(device)[0]
        # By kind of computation: the text of its last trace, and what it was compiled to.
        self._compiled: dict[str, tuple[str, Callable[..., Any]]] = {}
        self._value: Callable[..., Any] | None = None
        self._mapping: Callable[..., Any] | None = None
        self._jits = self._vmaps = True

    def array(self, values: Numbers, leaf: Leaf, dtype: str) -> Any:
        """Return a JAX array."""
        with own_settings(self._device):
            return jnp.asarray(values, dtype=dtype)

    def modes(self) -> AbstractContextManager[None]:
        """64 bits where they are asked for, and no flag of the caller's."""
        return own_settings(self._device)

    def shape(self) -> tuple[tuple[int, ...], bool]:
        """Return the shape of the loss, and whether it is complex; where possible from a trace, without computing."""
        given, (arrays, whole) = self.own(self.arguments.theta), _split(self.copy_data())
        try:
            with self.modes():
                traced = jax.eval_shape(lambda given, arrays: self.call_loss(given, whole(arrays)), given, arrays)
                return traced.shape, jnp.issubdtype(traced.dtype, jnp.complexfloating)
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
            return WEIGHT * _contract(value, cotangent), value

        # The loss of the same call: a second call could be another function.
        differentiated = jax.value_and_grad(scalar, has_aux=True)
        (_, value), gradient = self._run("gradient", differentiated, params, data)
        return self.number(value), {
            name: np.conj(_read_numbers(part).values) / WEIGHT for name, part in gradient.items()
        }

    def second(
        self, params: Mapping[str, Any], vector: Mapping[str, Any], data: tuple[Any, ...]
    ) -> Mapping[str, Numbers | None]:
        """Return H v: the gradient of Re ⟨g, v⟩."""

        def along(given: Mapping[str, Any], data: tuple[Any, ...], cotangent: Any) -> Any:
            # JAX's gradient is ḡ, so that Re Σ ḡ v needs no conjugate.
            gradient = jax.grad(lambda given: _contract(self.call_loss(given, data), cotangent))(given)
            parts = jax.tree.map(lambda g, v: jnp.real(jnp.sum(g * v)), gradient, dict(vector))
            return sum(jax.tree.leaves(parts))

        products = self._run("second", jax.grad(along), params, data)
        return {name: np.conj(_read_numbers(part).values) for name, part in products.items()}

    def _run(self, name: str, function: Callable[..., Any], params: Mapping[str, Any], data: tuple[Any, ...]) -> Any:
        """Trace a function, compile it unless the trace is that of the last call, and run it.

        A function that cannot be traced is called as it is.
        """
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
            text = _fingerprint(traced.jaxpr)
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
            self._vmaps = self._try_vmap(thetas[:2])
            return self.batch(thetas)
        return self._map(thetas)

    def _try_vmap(self, thetas: Vector) -> bool:
        """Return whether vmap gives the losses of single calls."""
        # Where the gradient has been compiled, it gives the loss as well.
        compiled = "gradient" in self._compiled
        plain = [self.compute(theta)[0] if compiled else self.evaluate(theta) for theta in thetas]
        try:
            losses = self._map(thetas)
        except Exception as error:  # noqa: BLE001 - whatever vmap cannot do, a loop can
            self.engine = f"loop (jax.vmap: {type(error).__name__})"
            return False
        if not confirms(losses, plain, wide=self.parameters.wide):
            self.engine = "loop (jax.vmap gives other losses)"
            return False
        self.engine = "jax.vmap"
        return True

    def _map(self, thetas: Vector) -> Vector:
        arrays, whole = _split(self.shared_data())
        with own_settings(self._device):
            if self._mapping is None:
                # The data are put together from what is traced; what of them is no array is the same in every call.
                at = jax.vmap(lambda theta, arrays, v: self._loss_at(theta, whole(arrays), v), (0, None, None))
                self._mapping = jax.jit(at)
            # Repetitions fill up a short batch, so that there is one compilation.
            rows = np.resize(thetas, (max(self.width, len(thetas)), self.size))
            losses = self._mapping(jnp.asarray(rows), arrays, self._cotangent())
            return np.asarray(losses, dtype=np.float64)[: len(thetas)]

    def _loss_at(self, theta: jax.Array, data: tuple[Any, ...], cotangent: Any) -> Any:
        """Return the loss at θ, with all operations in JAX: also those that make arrays of θ are batched."""
        parts = self.parameters.at(theta)
        own = {name: jnp.asarray(part, self.parameters.dtype(name)) for name, part in parts.items()}
        return _contract(self.call_loss(own, data), cotangent)


def _contract(value: Any, cotangent: Any) -> Any:
    """Return Re Σ v̄ y; without a cotangent the value, which should be one number."""
    if cotangent is None:
        return jnp.reshape(value, ()) if jnp.size(value) == 1 else value
    return jnp.real(jnp.sum(jnp.conj(cotangent) * value))


def _split(data: tuple[Any, ...]) -> tuple[dict[str, Any], Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    """Return the JAX arrays in the data, and a function that puts others in their places."""
    arrays = {name: value for name, value in leaves(data).items() if isinstance(value, jax.Array)}
    return arrays, lambda traced: rebuild(data, traced)


def _fingerprint(jaxpr: Any) -> str:
    """Return a text that differs between traces with other operations, or with other constants."""
    digest = hashlib.blake2b()
    for constant in jaxpr.consts:
        if isinstance(constant, jax.Array) and jnp.issubdtype(constant.dtype, jax.dtypes.prng_key):
            constant = jax.random.key_data(constant)  # noqa: PLW2901 - a key is known by its numbers
        digest.update(np.asarray(constant).tobytes() if isinstance(constant, jax.Array | np.ndarray) else b"?")
    return f"{jaxpr.jaxpr} {digest.hexdigest()}"
