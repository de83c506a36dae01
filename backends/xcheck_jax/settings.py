"""Settings: JAX computes on one device and in the dtypes of its arrays, whatever flags the caller has set."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import jax


@contextmanager
def own_settings(device: jax.Device) -> Iterator[None]:
    """Set the flags of JAX while the body runs; afterwards the caller's are back."""
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.default_device(device))
        # A float32 check is about float32: no TF32 on a GPU.
        stack.enter_context(jax.default_matmul_precision("highest"))
        # A function that works with the usual rules of NumPy is not refused by a stricter setting of the caller's.
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        # A nan is a result here: the oracle may step out of the domain of a function.
        stack.enter_context(jax.debug_nans(False))
        stack.enter_context(jax.debug_infs(False))
        yield
