"""Names and axes: what fits is mapped there and back, what does not is said with a proposal."""

import numpy as np
import pytest

from xcheck.backend.naming import match_parameters
from xcheck.errors import DefinitionError

CANONICAL = {"0.weight": (3, 4), "0.bias": (3,), "2.weight": (2, 3)}
RENAME = {"fc1.kernel": "0.weight", "fc1.bias": "0.bias", "fc2.kernel": "2.weight"}
LAYOUT = {"*.kernel": "transpose"}
OWN = {"fc1.kernel": (4, 3), "fc1.bias": (3,), "fc2.kernel": (3, 2)}


def test_there_and_back() -> None:
    """Own arrays have their own names and axes; the way back restores both."""
    arrays = {name: np.random.default_rng(0).standard_normal(shape) for name, shape in CANONICAL.items()}
    found = match_parameters(CANONICAL, RENAME, LAYOUT, OWN)
    own = found.to_own(arrays)
    assert {name: array.shape for name, array in own.items()} == OWN
    assert np.array_equal(own["fc1.kernel"], arrays["0.weight"].T)
    back = found.to_canonical(own)
    assert all(np.array_equal(back[name], arrays[name]) for name in CANONICAL)


def test_a_permutation_of_axes() -> None:
    """Convolutions: HWIO from OIHW, and back."""
    array = np.arange(120.0).reshape(5, 4, 3, 2)
    found = match_parameters({"w": (5, 4, 3, 2)}, {}, {"w": (2, 3, 1, 0)}, {"w": (3, 2, 4, 5)})
    own = found.to_own({"w": array})["w"]
    assert own.shape == (3, 2, 4, 5)
    assert np.array_equal(found.to_canonical({"w": own})["w"], array)


@pytest.mark.parametrize(
    ("rename", "layout", "own", "said"),
    [
        ({"k": "nothing"}, {}, None, "there is no parameter 'nothing'; there are 0.weight, 0.bias, 2.weight"),
        ({"a": "0.bias", "b": "0.bias"}, {}, None, "two names stand for one parameter"),
        ({"0.bias": "0.weight"}, {}, None, "0.bias stands for 0.weight, and for 0.bias of params: rename that, too"),
        ({"*.w": "*.kernel"}, {}, None, "no parameter matches '*.kernel'; there are 0.weight, 0.bias, 2.weight"),
        ({}, {"*.kernel": "transpose"}, None, "no parameter of this function matches '*.kernel'"),
        ({}, {"0.weight": (0, 2)}, None, "(0, 2) does not arrange the 2 axes of 0.weight"),
        ({}, {"0.weight": "T"}, None, "'T' does not arrange the 2 axes"),
        ({}, {}, {**CANONICAL, "0.weight": (4, 3)}, 'transposed it fits: layout={"0.weight": "transpose"}'),
        ({}, {}, {**CANONICAL, "0.weight": (7, 3)}, "0.weight has shape (7, 3), 0.weight in params gives (3, 4)"),
        (
            {},
            {},
            {"0.weight": (3, 4), "0.bias": (3,), "head": (3, 2)},
            'it can only be 2.weight: rename={"head": "2.weight"}, layout={"head": "transpose"}',
        ),
        (
            {},
            {},
            {"0.weight": (3, 4), "0.bias": (3,)},
            "params has 2.weight, shape (2, 3), which this function",
        ),
    ],
)
def test_what_does_not_fit_is_said(
    rename: dict[str, str], layout: dict[str, str], own: dict[str, tuple[int, ...]] | None, said: str
) -> None:
    """With what there is, and what to type."""
    with pytest.raises(DefinitionError) as caught:
        match_parameters(CANONICAL, rename, layout, own)
    assert said in str(caught.value)


def test_equal_shapes_are_never_guessed() -> None:
    """Both possibilities are named, and neither is proposed."""
    with pytest.raises(DefinitionError) as caught:
        match_parameters({"a": (2,), "b": (2,)}, {}, {}, {"x": (2,), "y": (2,)})
    text = str(caught.value)
    assert "x, y (2 of shape (2,)) are not in params; they may be a or b: say which with rename" in text
    assert "can only be" not in text


def test_everything_is_said_at_once() -> None:
    """Missing and unexpected names in one error."""
    with pytest.raises(DefinitionError) as caught:
        match_parameters({"a": (2,), "b": (3, 3)}, {}, {}, {"x": (2,), "y": (3, 3)})
    text = str(caught.value)
    assert (
        'x (2,), y (3, 3) are not in params; by their shapes they can only be a, b: rename={"x": "a", "y": "b"}' in text
    )
    assert "params has a (2,), b (3, 3), which this function does not know" in text


def test_many_names_are_few_lines() -> None:
    """Fifteen that were not mapped once made fifty-nine lines."""
    canonical = {f"layers.{n}.{name}": shape for n in range(8) for name, shape in {"W": (3, 3), "b": (3,)}.items()}
    own = {f"p{n}": (3, 3) for n in range(8)} | {f"q{n}": (3,) for n in range(7)} | {"head": (9,)}
    with pytest.raises(DefinitionError) as caught:
        match_parameters(canonical, {}, {}, own)
    said = [complaint.text for complaint in caught.value.complaints]
    assert len(said) == 4
    assert "p0, p1, p2, p3, p4, p5, p6, p7 (8 of shape (3, 3)) are not in params" in said[0]
    assert said[2] == "head, shape (9,), is not in params"


def test_patterns_rename_and_layout_arranges_what_they_name() -> None:
    """Own names are made of what the stars stand for; the axes are looked up by these."""
    naming = match_parameters(CANONICAL, {"layer*.W": "*.weight"}, {"*.W": "transpose"})
    assert naming.canonical == {"layer0.W": "0.weight", "0.bias": "0.bias", "layer2.W": "2.weight"}
    assert naming.axes == {"layer0.W": (1, 0), "0.bias": None, "layer2.W": (1, 0)}
    part = naming.only(["2.weight"])
    assert (part.canonical, part.axes) == ({"layer2.W": "2.weight"}, {"layer2.W": (1, 0)})
