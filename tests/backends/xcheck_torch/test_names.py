"""Names of functions of torch and of their arguments; functions that are opened."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from xcheck_torch.names import argument_names, name_of, opened


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (Tensor.__rsub__, "rsub"),
        (Tensor.add_, "add_"),
        (F.layer_norm, "layer_norm"),
        (torch.ops.aten.sin, "sin"),
        (torch.ops.aten.sin.default, "sin"),
        (Tensor.data.__get__, "data"),
        (Tensor.requires_grad.__get__, None),
        (Tensor.requires_grad_, None),
    ],
)
def test_names(function: object, name: str | None) -> None:
    """What tells of a tensor, or is done to it alone, has no name."""
    assert name_of(function) == name


def test_names_of_arguments() -> None:
    """They are those of a signature where there is one, those of the operator, or not known."""
    assert argument_names(F.layer_norm)[:2] == ["input", "normalized_shape"]
    assert argument_names(torch.conv2d)[:3] == ["input", "weight", "bias"]
    assert argument_names(Tensor.__getitem__) == []


def test_opened() -> None:
    """Only what is written in Python by torch can be opened, and does the same."""
    x = torch.arange(6.0).reshape(2, 3)
    copy = opened(F.normalize)
    assert copy is not None
    assert torch.equal(copy(x, dim=0), F.normalize(x, dim=0))
    assert opened(torch.sin) is None
    assert opened(test_opened) is None
