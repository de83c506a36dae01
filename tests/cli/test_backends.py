"""The command `backends`."""

from pathlib import Path

from tests.cli.test_main import BROKEN, run
from tests.conftest import Plugins


def test_backends_lists_versions_devices_and_why_not(folder: Path, plugins: Plugins) -> None:
    """Ours with their versions, a broken one with its cause."""
    plugins.add("broken", BROKEN)
    done = run("backends", folder=folder)
    lines = {line.split(":")[0]: line for line in done.stdout.splitlines()}
    assert done.returncode == 0
    assert [*lines][:3] == ["numpy", "torch", "jax"]
    assert {"broken", "oracle"} <= set(lines)
    assert "numpy 2." in lines["numpy"]
    assert "torch 2." in lines["torch"]
    assert "libcheese.so.1" in lines["broken"]
