"""The page on backends: both plug-ins that it shows are found, and agree."""

import numpy as np

import xcheck
from tests.conftest import Plugins
from tests.docs.pages import ROOT, block_of
from xcheck.backend import registry

PAGE = ROOT / "docs" / "contributing" / "write-a-backend.md"


def test_the_backend_works(plugins: Plugins) -> None:
    """For the networks that it knows."""
    plugins.add("linear", block_of(PAGE, "python", "class LinearBackend"), package="my_plugin")
    definition = {
        "data": {"synthetic": {"inputs": 3, "examples": 10}},
        "network": {"layers": [{"units": 2}], "loss": "mean_squared_error", "l2": 0.5},
    }
    assert registry.get("linear").name == "linear"
    assert xcheck.verify(definition, backends=["linear", "jax"]).ok


def test_the_function_backend_works(plugins: Plugins) -> None:
    """Beside NumPy, for a function of a person's own."""
    plugins.add("complexstep", block_of(PAGE, "python", "class ComplexStepBackend"), package="my_steps")
    report = xcheck.check(
        {
            "steps": xcheck.objective(lambda p: (p**3).sum(), "complexstep"),
            "by hand": xcheck.objective(lambda p: (p**3).sum(), "numpy", gradient=lambda p: 3 * p**2),
        },
        np.array([1.0, 2.0]),
    )
    assert report.ok
    assert list(report.losses) == ["steps", "by hand"]
