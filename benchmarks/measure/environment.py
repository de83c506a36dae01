"""Where numbers were measured: versions, machine, threads, precision, commit. Every row carries all of it."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xcheck import __version__

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("numpy", "jax", "jaxlib", "torch", "scipy", "numdifftools", "python-flint")
# What makes the same versions on the same machine fast or slow, or rounds differently.
_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "XLA_FLAGS",
    "JAX_ENABLE_X64",
    "JAX_PLATFORMS",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "NVIDIA_TF32_OVERRIDE",
)


def environment(device: str) -> dict[str, Any]:
    """Return what somebody needs to know who measures again.

    Raises:
        DeviceError: there is no such device here.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "versions": {"xcheck": __version__, "python": platform.python_version(), **_versions()},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": _threads(),
        "load": load(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "device": device,
        "accelerator": _accelerator(device),
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "precision": "float64; products of matrices in full precision",
    }


def load() -> float:
    """Return the load average of the last minute: how many processes wanted to run, ours included."""
    return round(os.getloadavg()[0], 2)


def _accelerator(device: str) -> str | None:
    if device == "cpu":
        return None
    # Only here: a process that measures others need not load JAX itself.
    from xcheck.oracle.engines.network import find_device

    return str(find_device(device).device_kind)


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _threads() -> int:
    """Return the cores that this process may use: frameworks start as many threads, unless variables forbid it."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str | None:
    """Return the commit that is measured, and whether files differ from it."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit} and changes" if _git("status", "--porcelain") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout.strip()
