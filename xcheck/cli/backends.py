"""The command `backends`: which frameworks there are, with their versions and devices."""

import click

from xcheck.backend import registry
from xcheck.errors import BackendError, DefinitionError


@click.command()
def backends() -> None:
    """List the backends: versions, devices, and why one is not available."""
    for name in registry.names():
        click.echo(f"{name}: {_described(name)}")
    from xcheck.oracle.engines.network import find_device

    devices = []
    for device in ("cpu", "gpu"):
        try:
            devices.append(f"{device} ({find_device(device).device_kind})")
        except DefinitionError:
            continue
    click.echo(f"oracle: jax, float64; {', '.join(devices)}")


def _described(name: str) -> str:
    try:
        backend = registry.get(name)
        why_not = backend.available()
        if why_not is not None:
            return f"not available: {why_not}; to install it: {backend.install}"
        versions = ", ".join(f"{what} {version}" for what, version in backend.versions().items())
        return f"{versions}; {', '.join(backend.devices())}"
    except BackendError as error:
        return f"broken: {error.text}"
    except Exception as error:  # noqa: BLE001 - listing must go on past a framework that does not even import
        return f"broken: {type(error).__name__}: {error}"
