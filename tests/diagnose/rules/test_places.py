"""Where an error is: in a box of a tensor, in some of the tensors; and where that says nothing."""

from dataclasses import replace

import numpy as np

from tests.diagnose.rules.conftest import evidence_in_network, evidence_of, texts
from xcheck.diagnose.rules.places import wrong_part, wrong_tensors
from xcheck.layout import Layout, Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.lines import DIRECTIONS

RNG = np.random.default_rng(0)
W, V = RNG.standard_normal((6, 4)), RNG.standard_normal((3, 2, 5))


def off(array: Vector, *index: slice | int | list[int]) -> Vector:
    """Other numbers in one place."""
    wrong = array.copy()
    wrong[index] += RNG.uniform(1, 2, wrong[index].shape)
    return wrong


def test_a_part_is_named_as_an_index() -> None:
    """A range of rows, some columns, one slice of three axes."""
    for index, name in (
        ((slice(2, 4),), "W[2:4, :] (8 of its 8 components)"),
        ((slice(None), [0, 2]), "W[:, [0, 2]] (12 of its 12 components)"),
        ((5, slice(1, 3)), "W[5, 1:3] (2 of its 2 components)"),
    ):
        evidence = evidence_of({"W": off(W, *index)}, {"W": W})
        (said,) = texts(evidence, wrong_part(evidence))
        assert said.startswith(f"all that is wrong lies in {name}, and the rest is right")
    evidence = evidence_of({"V": off(V, slice(None), 1)}, {"V": V})
    assert "V[:, 1, :] (15 of its 15 components)" in texts(evidence, wrong_part(evidence))[0]


def test_what_is_wrong_everywhere_is_in_no_part() -> None:
    """Nor is what leaves zeros alone: nothing shows that these are right."""
    evidence = evidence_of({"W": off(W)}, {"W": W})
    assert texts(evidence, wrong_part(evidence)) == []
    padded = W * (np.arange(6) < 3)[:, None]
    evidence = evidence_of({"W": padded * np.exp(W)}, {"W": padded})
    assert texts(evidence, wrong_part(evidence)) == []


def test_the_tensors_that_are_right_are_named() -> None:
    """As far as they are more than zero."""
    evidence = evidence_of({"W": off(W), "V": V, "z": 0 * V}, {"W": W, "V": V, "z": 0 * V})
    (said,) = texts(evidence, wrong_tensors(evidence))
    assert said.startswith("the cause is not known, but V is right: what leads to it as well")


def test_a_sample_shows_no_tensor_to_be_right() -> None:
    """The rest of it may be wrong, and slopes along random directions are no tensor."""
    evidence = evidence_of({"W": off(W), "V": V}, {"W": W, "V": V})
    sampled = Layout(tuple(replace(t, places=tuple(range(t.size))) if t.name == "V" else t for t in evidence.layout))
    assert texts(evidence, wrong_tensors(evidence)) != []
    assert list(wrong_tensors(replace(evidence, layout=sampled))) == []
    along = evidence_of({"W": off(W), DIRECTIONS: V}, {"W": W, DIRECTIONS: V})
    assert list(wrong_tensors(along)) == []


def test_where_few_are_right_no_place_is_named() -> None:
    """Three wrong ones beside one that is right; or all wrong."""
    right = dict.fromkeys("abcd", W)
    evidence = evidence_of({**{name: off(W) for name in "abc"}, "d": W}, right)
    assert texts(evidence, wrong_tensors(evidence)) == []
    evidence = evidence_of({name: off(W) for name in "abcd"}, right)
    assert texts(evidence, wrong_tensors(evidence)) == []


def test_of_a_network_other_places_are_known() -> None:
    """There the report says at which layer the error has entered."""

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        gradient["W1"][0] *= np.exp(gradient["W1"][0])

    evidence = evidence_in_network(spoil)
    assert list(wrong_part(evidence)) == list(wrong_tensors(evidence)) == []
