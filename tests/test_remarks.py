"""Findings and warnings about pairs."""

from xcheck import verify

DEEP = {
    "data": {"synthetic": {"inputs": 6, "examples": 64}},
    "network": {
        "layers": [*[{"units": 8, "activation": "gelu", "initializer": "normal"}] * 8, {"units": 3}],
        "loss": "binary_cross_entropy",
    },
}


def test_undecided_components_of_all_tensors_are_one_warning() -> None:
    """With the counts of each, and the whole count as its value."""
    report = verify(DEEP, backends=["numpy"])
    (warning,) = [warning for warning in report.warnings if warning.code == "XC405"]
    undecided = {
        tensor.name: f"{tensor.undecided} of {tensor.of} in {tensor.name}" for tensor in report.pairs[0].tensors
    }
    told = [name for name, text in undecided.items() if text in warning.text]
    assert told == [tensor.name for tensor in report.pairs[0].tensors if tensor.undecided]
    assert len(told) > 1
    assert (warning.tensor, warning.value) == (told[0], report.pairs[0].undecided)
