"""Names of components, and the way back from a name to its component."""

import pytest

from tests.checks.explain.test_explain import LAYOUT
from xcheck.checks.explain.component import component_of
from xcheck.errors import DefinitionError
from xcheck.layout import Layout


@pytest.mark.parametrize("flat", range(LAYOUT.size))
def test_a_name_leads_back_to_its_component(flat: int) -> None:
    """The inverse of Layout.locate, with and without a space; and so does the flat index itself."""
    name = str(LAYOUT.locate(flat))
    assert [component_of(LAYOUT, text) for text in (name, name.replace(" ", ""), str(flat))] == [flat] * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w1x[0]", "there is no parameter w1x; known: W1, b1, enc.0.W, scale, one, none"),
        ("enc.0.V[1, 1]", "there is no parameter enc.0.V; did you mean 'enc.0.W'?"),
        ("W1[2, 0]", "W1[2, 0] is out of range: W1 has shape (2, 3), index 0 goes from 0 to 1"),
        ("W1[0, -1]", "W1[0, -1] is out of range: W1 has shape (2, 3), index 1 goes from 0 to 2"),
        ("W1[1]", "W1[1] has 1 indices, W1 has shape (2, 3); write it like 'W2[3, 1]', or as a flat index"),
        ("W1", "W1 has no indices, W1 has shape (2, 3); write it like 'W2[3, 1]', or as a flat index"),
        ("W1[a]", "W1[a] names no component: W1 has shape (2, 3); write it like 'W2[3, 1]', or as a flat index"),
        ("scale[0]", "scale[0] has 1 indices, scale is one number; write it like 'W2[3, 1]', or as a flat index"),
        ("none[0]", "none[0] is out of range: none has shape (0,), index 0 goes from nothing: it is empty"),
        ("30", "there is no component 30: flat indices go from 0 to 29"),
    ],
)
def test_a_component_that_is_not_there(text: str, expected: str) -> None:
    """The shape, the valid range, or a name that is close."""
    with pytest.raises(DefinitionError) as caught:
        component_of(LAYOUT, text)
    assert str(caught.value) == expected


def test_one_component_needs_no_index() -> None:
    """A scalar, or a tensor of one component."""
    assert (component_of(LAYOUT, "scale"), component_of(LAYOUT, "one")) == (28, 29)


def test_one_array_alone_has_two_names() -> None:
    """That of the argument, and `params`; among others `params` is a name like any other."""
    alone = Layout.of({"x": (2, 3)})
    assert component_of(alone, "params[1, 2]") == component_of(alone, "x[1, 2]") == 5
    with pytest.raises(DefinitionError, match="there is no parameter params"):
        component_of(Layout.of({"x": (2,), "z": (2,)}), "params[1]")
