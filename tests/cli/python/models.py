"""Python files for the tests of the command line, and what comes of them as a MODEL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xcheck.checks.report import Report
from xcheck.cli.jobs import read_jobs
from xcheck.cli.python.discovery import DiscoveredCase, discover_cases
from xcheck.cli.python.source import parse_reference
from xcheck.errors import DefinitionError

CUBE = """
import numpy as np
import xcheck

def cube(x):
    return (x**3).sum()

def slope(x):
    return 3 * x**2

def _case(**settings):
    return xcheck.Case(xcheck.objective(cube, "numpy", gradient=slope), np.array([1.0, 2.0]), settings=settings)
"""


WRITE = """write
    @xcheck.case
    def mine():
        return xcheck.Case(objectives=loss, params=params, data=(x, y))"""


Write = Callable[..., Path]


def offered(model: str) -> list[DiscoveredCase]:
    """Load what a MODEL names."""
    reference = parse_reference(model)
    assert reference is not None
    return discover_cases(reference)


def names(model: str) -> list[str]:
    """The names of the cases that a MODEL offers."""
    return [offer.name for offer in offered(model)]


def refused(model: str) -> str:
    """What is said about a MODEL that cannot be used."""
    with pytest.raises(DefinitionError) as caught:
        offered(model)
    return str(caught.value)


def checked(model: str, *backends: str, worst: int | None = None, **flags: Any) -> list[Report]:
    """The reports on a MODEL."""
    return [job.run(None) for job in read_jobs([Path(model)], backends, worst, flags)]


def refused_flags(model: str, *backends: str, **flags: Any) -> str:
    """What is said about a command line that cannot be used."""
    with pytest.raises(DefinitionError) as caught:
        read_jobs([Path(model)], backends, None, flags)
    return str(caught.value)
