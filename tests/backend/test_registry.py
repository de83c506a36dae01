"""The registry: plug-ins are found by their entry points, and whose array an array is."""

from typing import Any

import jax
import numpy as np
import pytest
import torch

from tests.conftest import Plugins
from xcheck.backend import registry
from xcheck.errors import BackendError

SOURCE = """
from xcheck_numpy import NumpyBackend

class Own(NumpyBackend):
    name = "own"

backend = Own()
"""


def test_ours_come_first_and_the_others_by_name(plugins: Plugins) -> None:
    """Whatever the order in which they are installed."""
    plugins.add("zebra", SOURCE)
    plugins.add("ant", SOURCE)
    assert [name for name in registry.names() if name in {*registry.DEFAULTS, "ant", "zebra"}] == [
        *registry.DEFAULTS,
        "ant",
        "zebra",
    ]


def test_the_packages_of_plug_ins(plugins: Plugins) -> None:
    """They are known without being imported: this one cannot be."""
    plugins.add("missing", "import no_such_framework\n")
    assert registry.packages() >= {"xcheck_numpy", "xcheck_torch", "xcheck_jax", "plugin_missing"}


def test_an_unknown_name_is_a_key_error() -> None:
    """Those who ask know the names."""
    with pytest.raises(KeyError):
        registry.get("nobody")


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("torn", "import no_such_framework\n", "broken: ModuleNotFoundError: No module named 'no_such_framework'"),
        ("impostor", "backend = 3\n", "impostor: plugin_impostor:backend is not an xcheck.backend.Backend"),
    ],
    ids=["cannot be imported", "is no backend"],
)
def test_a_broken_plug_in_is_quoted(plugins: Plugins, name: str, source: str, said: str) -> None:
    """With its own words."""
    plugins.add(name, source)
    with pytest.raises(BackendError) as caught:
        registry.get(name)
    assert said in str(caught.value)


def test_one_plug_in_that_is_listed_twice_counts_once(plugins: Plugins) -> None:
    """As a checkout on the path beside its installation; two different ones of one name are refused."""
    plugins.add("own", SOURCE, package="first_of_two")
    second = plugins.folder / "again-1.0.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: again\nVersion: 1.0\n")
    (second / "entry_points.txt").write_text("[xcheck.backends]\nown = first_of_two:backend\n")
    assert registry.get("own").name == "own"
    (second / "entry_points.txt").write_text("[xcheck.backends]\nown = second_of_two:backend\n")
    with pytest.raises(
        BackendError, match="two plug-ins have this name: first_of_two:backend and second_of_two:backend"
    ):
        registry.get("own")


@pytest.mark.parametrize(
    ("value", "framework", "dtype"),
    [
        (np.ones(2, np.float32), "numpy", "float32"),
        (3.0, "numpy", "float64"),
        (torch.ones(2, dtype=torch.bfloat16), "torch", "bfloat16"),
        (jax.numpy.ones(2, "float16"), "jax", "float16"),
    ],
    ids=["numpy", "a float", "torch", "jax"],
)
def test_an_array_is_read_by_its_own_framework(value: Any, framework: str, dtype: str) -> None:
    """Its numbers come as float64."""
    leaf = registry.read(value)
    assert leaf is not None
    assert (leaf.framework, leaf.dtype, leaf.values.dtype.name) == (framework, dtype, "float64")
    assert leaf.source is value


@pytest.mark.parametrize("value", ["a word", None, object(), jax.random.key(0)], ids=["str", "None", "object", "key"])
def test_what_is_no_array_is_not_read(value: Any) -> None:
    """It is handed on as it is."""
    assert registry.read(value) is None


def test_the_parameters_of_a_module() -> None:
    """By name; others have none."""
    found = registry.parameters(torch.nn.Linear(2, 1))
    assert found is not None
    assert list(found) == ["weight", "bias"]
    assert registry.parameters(np.ones(2)) is None


def test_a_loaded_backend_is_found_without_asking_for_entry_points(plugins: Plugins) -> None:
    """A plug-in that joins the path is found too; of a broken one `get` says what is wrong."""
    assert registry.loaded("numpy") is registry.get("numpy")
    plugins.add("late", SOURCE.replace('"own"', '"late"'))
    plugins.add("torn", "import no_such_framework\n")
    registry._load_backends.cache_clear()  # noqa: SLF001 - what is on the path is read once; the fixture is older
    found = registry.loaded("late")
    assert found is not None
    assert found.name == "late"
    assert registry.loaded("torn") is None
    assert registry.loaded("nobody") is None
