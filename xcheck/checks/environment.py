"""Environment: the versions and the device that a result belongs to."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

from xcheck.version import __version__


def environment_of(versions: Mapping[str, str], device: str) -> dict[str, str]:
    """Return versions, platform and device.

    Args:
        versions: of the frameworks that took part.
        device: "cpu" or "gpu".
    """
    # From the metadata: importing a framework only to ask for its version takes seconds.
    core = {name: version(name) for name in ("numpy", "jax", "jaxlib")}
    return {
        "xcheck": __version__,
        "python": platform.python_version(),
        **core,
        **versions,
        "platform": platform.platform(),
        "device": device,
    }
