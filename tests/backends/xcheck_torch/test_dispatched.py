"""An operation as torch's dispatcher hands it over."""

from typing import Any

import torch

from xcheck_torch.dispatched import Dispatched

ATEN, X = torch.ops.aten, torch.ones(2)


def default(name: str) -> Any:
    """The overload that has no name."""
    return getattr(ATEN, name).default


def test_names() -> None:
    """What writes into its argument has the name of what does not, and returns the same."""
    operation = Dispatched(ATEN.add_.Tensor, (X, X), {"alpha": 2})
    assert (operation.label, operation.name, operation.plain) == ("add_", "add", ATEN.add.Tensor)
    assert operation.arguments == {"self": X, "other": X, "alpha": 2}
    assert [tensor is X for tensor in operation.written] == [True]
    assert Dispatched(ATEN.__and__.Tensor, (X, X), {}).name == "__and__"


def test_defaults_are_arguments() -> None:
    """Whatever is not given."""
    operation = Dispatched(ATEN.sum.dim_IntList, (X, [0]), {})
    assert operation.arguments == {"self": X, "dim": [0], "keepdim": False, "dtype": None}
    assert (operation.written, operation.plain) == ([], ATEN.sum.dim_IntList)
    assert operation.run() == 2


def test_running_statistics_are_written_in_training() -> None:
    """The schema does not say so."""
    mean, variance = torch.zeros(2), torch.ones(2)
    for training in (True, False):
        given = (X[None], None, None, mean, variance, training, 0.1, 1e-5)
        assert len(Dispatched(ATEN.native_batch_norm.default, given, {}).written) == 2 * training


def test_what_an_operation_does_with_numbers() -> None:
    """It asks for them, does not depend on them, or leaves them where they are."""
    assert Dispatched(default("_local_scalar_dense"), (X,), {}).looks
    assert Dispatched(ATEN.zeros_like.default, (X,), {}).is_new
    assert not Dispatched(ATEN.add.Tensor, (X, X), {}).is_new
    assert Dispatched(ATEN.t.default, (X,), {}).is_view
    assert Dispatched(default("_unsafe_view"), (X, [2]), {}).is_view
    assert not Dispatched(ATEN.add_.Tensor, (X, X), {}).is_view
    assert Dispatched(default("_linalg_check_errors"), (X, "x"), {"is_matrix": True}).returns_nothing
