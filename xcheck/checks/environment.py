"""Environment: the versions and the device that a result belongs to."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from xcheck.version import __version__


def environment_of(versions: Mapping[str, str], device: str) -> dict[str, str]:
    """Return versions, platform and device.

    Args:
        versions: of the frameworks that took part.
        device: "cpu" or "gpu".
    """
    return {
        "xcheck": __version__,
        "python": platform.python_version(),
        **_core_versions(),
        **versions,
        "platform": platform.platform(),
        "device": device,
    }


# The files of a package are read once for a process, not once for a check: they do not change.
@cache
def _core_versions() -> Mapping[str, str]:
    # From the metadata: importing a framework only to ask for its version takes seconds.
    return {name: version(name) for name in ("numpy", "jax", "jaxlib")}
