"""Subject: a loss of JAX at a point, what it claims to be its gradient, and the traces that proofs read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.trace import Trace
from xcheck_jax.programs import fingerprint, program_of
from xcheck_jax.settings import own_settings
from xcheck_jax.trace import trace_of

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """A loss at a point.

    Attributes:
        name: for people.
        loss: `loss(params, *data)`, one number.
        params: a tree of arrays.
        data: trees of arrays.
    """

    name: str
    loss: Callable[..., Any]
    params: Any
    data: tuple[Any, ...]

    @property
    def arrays(self) -> list[Array]:
        """The parameters, in the order of the tree."""
        return [np.asarray(leaf) for leaf in jax.tree.leaves(self.params)]

    @property
    def size(self) -> int:
        """The number of parameters n."""
        return sum(array.size for array in self.arrays)

    def rounded(self, dtype: str) -> "Subject":
        """Return the subject with every real number in another dtype."""

        def convert(leaf: Any) -> Any:
            array = np.asarray(leaf)
            floating = jnp.issubdtype(array.dtype, jnp.floating)
            return np.asarray(array, jnp.dtype(dtype)) if floating else array

        return replace(self, params=jax.tree.map(convert, self.params), data=jax.tree.map(convert, self.data))

    def traces(self) -> tuple[Trace, Trace]:
        """Return the trace of the loss and that of its gradient.

        Raises:
            UntraceableError: numbers leave JAX on the way.
        """
        loss = self._of_arrays()
        with own_settings(jax.devices("cpu")[0]):
            leaves = [jnp.asarray(array) for array in self.arrays]
            both = [jax.make_jaxpr(one)(leaves) for one in (loss, jax.grad(loss))]
            return trace_of(both[0]), trace_of(both[1])

    def losses(self) -> Callable[[Vector], float]:
        """Return θ, shape (n,) -> the loss, compiled."""
        loss = self._of_arrays()
        compiled = jax.jit(loss)

        def evaluate(theta: Vector) -> float:
            with own_settings(jax.devices("cpu")[0]):
                return float(compiled([jnp.asarray(part) for part in self.split(theta)]))

        return evaluate

    def gradient(self) -> Vector:
        """Return JAX's gradient in the dtype of the parameters, compiled as in a check, as float64, shape (n,)."""
        device = jax.devices("cpu")[0]
        with own_settings(device):
            leaves = [jnp.asarray(array) for array in self.arrays]
            traced = jax.jit(jax.grad(self._of_arrays())).trace(leaves)
            found = program_of(traced, device, fingerprint(traced.jaxpr))(leaves)
            return np.concatenate([np.asarray(part).astype(np.float64).ravel() for part in found])

    def split(self, vector: Vector) -> Sequence[Array]:
        """Return a vector, shape (n,), as arrays shaped like the parameters."""
        ends = np.cumsum([array.size for array in self.arrays])[:-1]
        parts = zip(np.split(vector, ends), self.arrays, strict=True)
        return [part.reshape(array.shape) for part, array in parts]

    def _of_arrays(self) -> Callable[[Sequence[Any]], Any]:
        tree = jax.tree.structure(self.params)
        data = jax.tree.map(np.asarray, self.data)

        def loss(leaves: Sequence[Any]) -> Any:
            with own_settings(jax.devices("cpu")[0]):
                given = jax.tree.map(jnp.asarray, data)
            found = self.loss(jax.tree.unflatten(tree, leaves), *given)
            return jnp.reshape(found, ())

        return loss
