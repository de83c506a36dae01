"""What the tests run on: `python -m tests.machine` prints what rounding and time depend on, one line each."""

import ctypes
import os
import platform
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "torch", "jax", "jaxlib")
VARIABLES = re.compile(r"(OPENBLAS|OMP|MKL|XLA|JAX|ATEN|XCHECK)_\w+|PYTHONHASHSEED")


def facts() -> Iterator[str]:
    """Yield processor, cores, memory, versions, BLAS kernels, and the variables that are set."""
    yield f"processor: {_found('/proc/cpuinfo', 'model name') or platform.processor() or platform.machine()}"
    yield f"cores: {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()}"
    yield f"memory: {_found('/proc/meminfo', 'MemTotal') or 'unknown'}"
    yield f"python: {platform.python_version()} on {platform.platform()}"
    yield from (f"{package}: {version(package)}" for package in PACKAGES)
    yield f"BLAS kernels of numpy: {', '.join(_kernels()) or 'unknown'}"
    yield from (f"{name}={value}" for name, value in sorted(os.environ.items()) if VARIABLES.fullmatch(name))


def _found(path: str, name: str) -> str:
    """Return what a file of /proc says of something; empty where there is no such file."""
    if not Path(path).exists():
        return ""
    found = re.search(rf"^{name}\s*:\s*(.*)$", Path(path).read_text(), flags=re.MULTILINE)
    return found[1] if found else ""


def _kernels() -> list[str]:
    """Return the names of the kernels that the OpenBLAS of numpy has chosen for this processor."""
    import numpy as np

    names = []
    for library in sorted((Path(np.__file__).parents[1] / "numpy.libs").glob("*openblas*")):
        corename = getattr(ctypes.CDLL(str(library)), "scipy_openblas_get_corename64_", None)
        if corename is not None:
            corename.restype = ctypes.c_char_p
            names.append(corename().decode())
    return names


if __name__ == "__main__":
    print("\n".join(facts()))  # noqa: T201 - what it is for
