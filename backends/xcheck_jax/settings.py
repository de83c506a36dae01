"""Settings: JAX computes in the dtype that was asked for, whatever flags the caller has set."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import jax


@contextmanager
def own_settings(device: jax.Device) -> Iterator[None]:
    """Compute in the dtype that was asked for, whatever flags the caller has set; they are restored."""
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.default_device(device))
        # A float32 check is about float32: no TF32 on a GPU.
        stack.enter_context(jax.default_matmul_precision("highest"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.debug_nans(False))
        stack.enter_context(jax.debug_infs(False))
        yield
