"""The versions and the device that a result belongs to."""

import numpy as np

import xcheck
from xcheck.checks.environment import environment_of


def test_what_took_part() -> None:
    """xcheck, Python, the oracle's libraries, the frameworks of the witnesses, the device."""
    found = environment_of({"torch": "2.13.0"}, "gpu")
    assert (found["xcheck"], found["numpy"]) == (xcheck.__version__, np.__version__)
    assert (found["torch"], found["device"]) == ("2.13.0", "gpu")
    assert {"python", "jax", "jaxlib", "platform"} <= found.keys()
