"""Renaming: names and patterns of names, and what is said of those that do not fit."""

import pytest

from xcheck.backend.renaming import expand_rename, list_choices, list_names

CANONICAL = [
    "block_0.ln_1.scale",
    "block_1.ln_1.scale",
    "block_1.ln_1.bias",
    "head.kernel",
    "layers.0.w",
    "layers.10.w",
]


@pytest.mark.parametrize(
    ("rename", "expanded"),
    [
        ({}, {}),
        ({"w": "head.kernel"}, {"w": "head.kernel"}),
        (
            {"h.*.ln1.weight": "block_*.ln_1.scale"},
            {"h.0.ln1.weight": "block_0.ln_1.scale", "h.1.ln1.weight": "block_1.ln_1.scale"},
        ),
        # A star does not run on into the next part of a name.
        ({"*.W": "*.kernel"}, {"head.W": "head.kernel"}),
        ({"w*": "layers.*.w"}, {"w0": "layers.0.w", "w10": "layers.10.w"}),
        # The first star of one side is the first of the other.
        (
            {"*.of.*": "block_*.ln_1.*"},
            {
                "0.of.scale": "block_0.ln_1.scale",
                "1.of.scale": "block_1.ln_1.scale",
                "1.of.bias": "block_1.ln_1.bias",
            },
        ),
        # What is written out is an exception, wherever it stands.
        (
            {"w*": "layers.*.w", "last": "layers.10.w"},
            {"last": "layers.10.w", "w0": "layers.0.w"},
        ),
    ],
)
def test_patterns_become_names(rename: dict[str, str], expanded: dict[str, str]) -> None:
    """Each parameter that matches has an entry of its own."""
    assert expand_rename(rename, CANONICAL) == (expanded, [])


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        ({"w": "nothing"}, "rename.w: rename: there is no parameter 'nothing'; there are block_0.ln_1.scale, "),
        ({"a": "head.kernel", "b": "head.kernel"}, "rename: rename: two names stand for one parameter"),
        (
            {"h.*.w": "blok_*.w"},
            "rename.h.*.w: rename: no parameter matches 'blok_*.w'; there are block_0.ln_1.scale, ",
        ),
        ({"w*": "*"}, "rename.w*: rename: no parameter matches '*'; there are block_0"),
        ({"w": "layers.*.w"}, "'w' has 0 *, 'layers.*.w' has 1: each * of one is what a * of the other stands for"),
        ({"w*": "head.kernel"}, "'w*' has 1 *, 'head.kernel' has 0"),
        ({"a*": "layers.*.w", "b.*": "layers.*.w"}, "'a*' and 'b.*' both stand for layers.0.w"),
        ({"x*": "layers.*.w", "x0": "head.kernel"}, "x0 stands for head.kernel and for layers.0.w"),
        ({"*": "block_*.ln_1.scale", "*0": "layers.*0.w"}, "rename.*0: rename: 10 stands for"),
    ],
)
def test_what_does_not_fit_is_said(rename: dict[str, str], said: str) -> None:
    """With the entry, and what it stands for."""
    _, complaints = expand_rename(rename, [*CANONICAL, "block_10.ln_1.scale"])
    assert said in "\n".join(map(str, complaints))


def test_a_few_names_are_listed() -> None:
    """Eight of them."""
    assert list_choices(["a", "b"]) == "; there are a, b"
    assert list_names(list("abcdefghi"), " or ") == "a or b or c or d or e or f or g or h or ..."


def test_many_names_are_listed_as_patterns() -> None:
    """As they would be written in `rename`; numbers that do not differ stay."""
    names = [f"h.{layer}.{part}" for layer in range(12) for part in ("ln1.weight", "mlp.bias")]
    assert list_names(["head", *names]) == "head, h.*.ln1.weight, h.*.mlp.bias"
    assert list_names(names[:4]) == "h.0.ln1.weight, h.0.mlp.bias, h.1.ln1.weight, h.1.mlp.bias"
    shaped = [f"{layer}.weight {(layer % 2 + 1, 3)}" for layer in range(10)]
    assert list_names(shaped) == "*.weight (1, 3), *.weight (2, 3)"
