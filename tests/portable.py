"""Other computers, emulated: the golden and the numerical tests must pass on every processor.

`python -m tests.portable` runs them as each of MACHINES would round, and as this one does; `--quick` runs the golden
ones and the diagnoses on the oldest only. Variables make libraries choose their kernels as the processor would.
"""

import os
import subprocess
import sys
import time

MACHINES = {
    "this one": {"OMP_NUM_THREADS": "2", "XLA_FLAGS": ""},
    "no vectors wider than SSE": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
        "ATEN_CPU_CAPABILITY": "default",
        "OMP_NUM_THREADS": "1",
    },
    "AVX2, two devices": {
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "OMP_NUM_THREADS": "2",
        "JAX_NUM_CPU_DEVICES": "2",
    },
    "AVX-512 BLAS, one thread": {"OPENBLAS_CORETYPE": "SkylakeX", "OMP_NUM_THREADS": "1", "XLA_FLAGS": ""},
}
_PAGE = "tests/docs/test_pages.py::test_a_page_shows_what_happens"
GOLDEN = (
    *("tests/steady.py", f"{_PAGE}[README.md]", f"{_PAGE}[docs/tutorial/first-failure.md]"),
    *("tests/test_examples.py", "tests/report", "tests/diagnose"),
)
NUMERICAL = (
    *("tests/breadth", "tests/caveats", "tests/checks", "tests/compare", "tests/oracle", "tests/testing"),
    "tests/training",
)


def fallen(machine: str, tests: tuple[str, ...]) -> bool:
    """Run tests as a machine would, say how it went, and return whether any has fallen."""
    # What users run: all that JAX compiles is optimised and runs in several threads, unlike in the rest of the suite.
    environment = os.environ | MACHINES[machine] | {"JAX_DISABLE_MOST_OPTIMIZATIONS": "0", "NPROC": "2"}
    print(f"== {machine}: {' '.join(f'{k}={v}' for k, v in MACHINES[machine].items())}", flush=True)  # noqa: T201 - its output
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", *tests]
    status = subprocess.run(command, env=environment, check=False).returncode
    print(f"== {machine}: exit status {status}, {time.perf_counter() - start:.0f} s", flush=True)  # noqa: T201 - its output
    return status != 0


def main(arguments: list[str]) -> int:
    """Run what was asked for; return the exit status."""
    if arguments == ["--quick"]:
        return fallen("no vectors wider than SSE", GOLDEN)
    return sum([fallen(machine, (*GOLDEN, *NUMERICAL)) for machine in MACHINES]) > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
