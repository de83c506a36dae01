"""What several tests need: a network in which every fault shows, and plug-ins in a folder of their own.

Most of the suite's time went into compiling small JAX functions that run for a millisecond. They are compiled without
optimisation, in this process and in those it starts; `optimised` is for tests of what takes longer to run. Rounding
depends on it as it does on the processor, and no test may depend on rounding: `make portable` runs the numerical tests
with all optimisation.

Two workers share two cores, and everything computes with one thread: those of a product of small matrices wait for each
other longer than they compute. `make portable` runs the numerical tests with two.
"""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

# The libraries read these when they are imported or first used; the processes that tests and pytest-xdist start have
# them too. OpenBLAS and PyTorch take the first, the thread pool of JAX takes the second.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NPROC", "1")
# JAX reads both when it is imported or first used. The compiler stops at flags that it does not know.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if version("jaxlib").startswith("0.10."):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import jax
import numpy as np
import pytest

from tests.commands import Typist
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem


@pytest.fixture(scope="session")
def problem() -> Problem:
    """6-6-6-3 with tanh, relu, dropout, L2 and L1: square layers, two tensors of one shape, biases not zero."""
    network = Network(
        inputs=6,
        layers=(
            Dense(units=6, activation="tanh", keep_prob=0.8),
            Dense(units=6, activation="relu"),
            Dense(units=3),
        ),
        loss="softmax_cross_entropy",
        l2=0.7,
        l1=0.1,
    )
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((20, 6)), np.eye(3)[rng.integers(0, 3, 20)]
    theta = 0.5 * rng.standard_normal(network_layout(network).size)
    return Problem.create(network, X, Y, theta=theta, seed=3, name="bench")


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typist:
    """Somebody who types commands in an empty folder."""
    return Typist(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def optimised() -> Iterator[None]:
    """JAX optimises what it compiles: what runs for seconds runs twice as fast."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


class Plugins:
    """A folder that Python finds plug-ins in, the same way as an installed package's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def add(self, name: str, source: str, *, package: str | None = None) -> None:
        """Install a module with the source of a plug-in that defines `backend`, under the entry point `name`."""
        module = package or f"plugin_{name}"
        self.modules.append(module)
        (self.folder / f"{module}.py").write_text(source)
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[xcheck.backends]\n{name} = {module}:backend\n")


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins]:
    """An empty folder of plug-ins, on the path of this process and of those it starts; afterwards they are unloaded."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    made = Plugins(folder)
    yield made
    for module in made.modules:
        sys.modules.pop(module, None)
