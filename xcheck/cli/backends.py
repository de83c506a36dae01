"""The command `backends`: it lists the frameworks with their versions and devices."""

import click

from xcheck.backend import registry
from xcheck.errors import BackendError, DefinitionError, quote


@click.command(short_help="List frameworks, versions and devices.")
def backends() -> None:
    """List the backends that checks can use, with versions and devices.

    A backend that is not available is listed with the reason, and with the command that installs it.
    """
    for name in registry.names():
        click.echo(f"{name}: {_describe(name)}")
    # JAX takes seconds to import, so the backends are listed before it is.
    from xcheck.oracle.engines.network import find_device

    devices = []
    for device in ("cpu", "gpu"):
        try:
            devices.append(f"{device} ({find_device(device).device_kind})")
        except DefinitionError:  # JAX has no such device
            continue
    click.echo(f"oracle: jax, float64; {', '.join(devices)}")


def _describe(name: str) -> str:
    """Return versions and devices of a backend, or why it cannot be used."""
    try:
        backend = registry.get(name)
        why_not = backend.available()
        # A backend is available, not installed, or broken; the last two never end the list.
        if why_not is not None:
            return f"not available: {why_not}; to install it: {backend.install}"
        versions = ", ".join(f"{package} {version}" for package, version in backend.versions().items())
        return f"{versions}; {', '.join(backend.devices())}"
    except BackendError as error:
        return f"broken: {error.text}"
    except Exception as error:  # noqa: BLE001 - listing must go on past a framework that does not even import
        return f"broken: {quote(error)}"
