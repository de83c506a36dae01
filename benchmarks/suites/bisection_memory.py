"""One check of a JAX function of 10⁷ parameters: verdict, losses, seconds, and the most memory that it held.

`python -m benchmarks.bisection_memory right|wrong`, in a process of its own.
"""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

import xcheck
from benchmarks.measure.memory import peak

SIZE, ROWS = 10_000_000, 5000
PLACE = (1234, 567)


def main(kind: str) -> str:
    """Check, and say what it took."""
    with jax.enable_x64(True):
        half = np.random.default_rng(0).standard_normal(SIZE // 2)
        params = {"W": jnp.asarray(half.reshape(ROWS, -1)), "b": jnp.asarray(-half)}
    del half
    spoiled = jax.custom_vjp(lambda W: W)
    spoiled.defvjp(lambda W: (W, None), lambda _, g: (g.at[PLACE].multiply(5),))

    def loss(p: dict[str, jax.Array]) -> jax.Array:
        W = spoiled(p["W"]) if kind == "wrong" else p["W"]
        return jnp.mean(jnp.tanh(W)) + jnp.mean(jnp.sin(p["b"]) ** 2)

    start = time.perf_counter()
    report = xcheck.check(loss, params, scope="directions")
    seconds, held = time.perf_counter() - start, peak() / 2**30
    return (
        f"n = {SIZE:,}, JAX, {kind}: {report.headline}; {report.oracle.evaluations} losses, {seconds:.0f} s, "
        f"{held:.2f} GiB at the most"
    )


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1]) + "\n")
