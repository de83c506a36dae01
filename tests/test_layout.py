"""Layout: θ and the names of its components."""

import numpy as np
import pytest
from numpy.typing import NDArray

from xcheck.layout import Layout, Tensor

LAYOUT = Layout.of({"W1": (3, 4), "b1": (3,), "scale": ()})


@pytest.mark.parametrize(
    ("flat", "name", "index"),
    [(0, "W1[0, 0]", (0, 0)), (11, "W1[2, 3]", (2, 3)), (12, "b1[0]", (0,)), (14, "b1[2]", (2,)), (15, "scale", ())],
)
def test_components_have_names(flat: int, name: str, index: tuple[int, ...]) -> None:
    """A flat index becomes tensor and index, in C-order; a scalar has its name alone."""
    location = LAYOUT.locate(flat)
    assert (str(location), location.index, location.flat) == (name, index, flat)


@pytest.mark.parametrize("flat", [-1, 16])
def test_a_component_that_does_not_exist_is_an_error(flat: int) -> None:
    """There is nothing before the first component and nothing behind the last."""
    with pytest.raises(IndexError, match=f"component {flat} of 16"):
        LAYOUT.locate(flat)


def test_a_layout_of_nothing() -> None:
    """It has no components, and θ is empty."""
    layout = Layout.of({})
    assert (layout.size, layout.flatten({}).shape) == (0, (0,))
    with pytest.raises(IndexError, match="component 0 of 0"):
        layout.locate(0)


def test_flatten_undoes_unflatten() -> None:
    """θ survives the way to named tensors and back."""
    theta = np.arange(16.0)
    assert np.array_equal(LAYOUT.flatten(LAYOUT.unflatten(theta)), theta)


def test_unflattened_tensors_are_views() -> None:
    """What is written into one is written into θ."""
    theta = np.zeros(16)
    LAYOUT.unflatten(theta)["b1"][:] = 7.0
    assert theta[12:15].tolist() == [7.0, 7.0, 7.0]


def test_tensors_without_components() -> None:
    """At the beginning, in the middle and at the end they take no place, and no component is theirs."""
    layout = Layout.of({"none": (0, 3), "w": (2,), "nothing": (0,), "b": (1,), "end": (0,)})
    assert layout.size == 3
    assert [str(layout.locate(flat)) for flat in range(3)] == ["w[0]", "w[1]", "b[0]"]
    assert layout.largest(np.array([1.0, 3.0, 2.0])).tolist() == [3.0, 3.0, 2.0]
    assert layout.unflatten(np.zeros(3))["none"].shape == (0, 3)


def test_of_two_tensors_of_one_name_the_first_is_found() -> None:
    """Components of both have names all the same."""
    layout = Layout((Tensor("w", (2,), 0), Tensor("w", (1,), 2)))
    assert layout["w"].offset == 0
    assert [str(layout.locate(flat)) for flat in range(3)] == ["w[0]", "w[1]", "w[0]"]


def test_an_unknown_name_is_a_key_error() -> None:
    """As in a dict."""
    with pytest.raises(KeyError):
        LAYOUT["W2"]
    with pytest.raises(KeyError):
        LAYOUT.tensor(1, "weight")


def test_tensors_of_a_declared_network_by_role() -> None:
    """Those that have neither layer nor role are left out."""
    weights = Tensor("kernel", (1, 2), 0, layer=1, role="weight")
    layout = Layout((weights, Tensor("shift", (1,), 2, layer=1, role="bias"), Tensor("free", (1,), 3)))
    assert layout.tensor(1, "weight") is weights
    arrays = layout.by_role(np.arange(4.0))
    assert {place: array.tolist() for place, array in arrays.items()} == {
        (1, "weight"): [[0.0, 1.0]],
        (1, "bias"): [2.0],
    }


# --- samples --------------------------------------------------------------------------------------------------------


def indices(*numbers: int) -> NDArray[np.intp]:
    """Places in θ."""
    return np.array(numbers, dtype=np.intp)


def test_a_sample_keeps_the_names_of_its_components() -> None:
    """And their places in the whole θ; a tensor of which nothing is drawn is empty."""
    whole, drawn = Layout.of({"W1": (3, 4), "b1": (3,), "W2": (2, 3)}), indices(2, 7, 15, 20)
    sample = whole.sampled(drawn)
    assert [sample.locate(place) for place in range(sample.size)] == [whole.locate(flat) for flat in drawn]
    assert [tensor.size for tensor in sample] == [2, 0, 2]
    assert [tensor.span for tensor in sample] == [slice(0, 2), slice(2, 2), slice(2, 4)]


def test_a_sample_of_a_sample_keeps_them_too() -> None:
    """Names and places are those of the whole."""
    whole = Layout.of({"W1": (3, 4), "b1": (3,)})
    first, second = indices(2, 7, 13, 14), indices(1, 3)
    sample = whole.sampled(first).sampled(second)
    assert [sample.locate(place) for place in range(2)] == [whole.locate(flat) for flat in first[second]]


def test_a_sample_of_nothing() -> None:
    """It has no components."""
    assert LAYOUT.sampled(indices()).size == 0


# --- thousands of tensors -------------------------------------------------------------------------------------------


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of tensors whose place in θ was worked out, one for each time."""
    seen: list[str] = []
    span = Tensor.span.fget  # type: ignore[attr-defined] # a property, seen from the class

    def noted(tensor: Tensor) -> slice:
        seen.append(tensor.name)
        place: slice = span(tensor)
        return place

    monkeypatch.setattr(Tensor, "span", property(noted))
    return seen


def test_naming_every_component_walks_over_the_tensors_once(walks: list[str]) -> None:
    """Not once for each component: with thousands of tensors that would be quadratic."""
    many = 3000
    layout = Layout.of({f"t{number}": (2,) for number in range(many)})
    assert [layout.locate(flat).name for flat in range(0, layout.size, 2)] == list(layout.unflatten(np.zeros(2 * many)))
    walks.clear()
    for number in range(many):
        assert layout.locate(2 * number).flat == 2 * number
        assert layout[f"t{number}"].offset == 2 * number
        assert layout.size == 2 * many
    assert not walks
