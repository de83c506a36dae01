"""Modules called with other parameters, as such and as the first argument of a loss."""

import torch

import xcheck
from xcheck.verdict import Verdict

X = torch.linspace(-1.0, 2.0, 20, dtype=torch.float64).sin().reshape(5, 4)


class Gated(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """A batch norm of its input, and a parameter that is used outside its call."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(4)
        self.scale = torch.nn.Parameter(torch.tensor(0.7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the normalised input."""
        normalised: torch.Tensor = self.norm(x)
        return normalised


def test_a_module_that_a_loss_takes_itself_is_not_touched() -> None:
    """Its parameters, statistics and gradients are as before; a wrong gradient is found, and its mode told."""
    module = Gated().double()
    before = {name: part.clone() for name, part in module.state_dict().items()}

    def loss(model: Gated, x: torch.Tensor) -> torch.Tensor:
        return (model(x).tanh() * model.scale.exp()).sum() + model.norm.weight.square().sum()

    report = xcheck.check(loss, module, (X,), inputs=True)
    assert report.ok, report
    assert "XC422" in {warning.code for warning in report.warnings}
    assert {"scale", "norm.weight", "norm.bias", "data[0]"} == {tensor.name for tensor in report.tensors}
    assert all(torch.equal(part, before[name]) for name, part in module.state_dict().items())
    assert all(part.grad is None for part in module.parameters())
    wrong = xcheck.check(lambda m, x: loss(m, x) + m.scale - m.scale.detach(), module, (X,))
    assert wrong.verdict is Verdict.DISAGREE
    assert {component.location.name for component in wrong.pairs[0].worst} == {"scale"}


def test_a_loss_that_wants_the_parameters_by_name_is_told_how() -> None:
    """It is called with the module, which has no keys."""
    report = xcheck.check(lambda p, x: (x @ p["weight"].T).sum(), torch.nn.Linear(4, 2).double(), (X,))
    assert "dict(module.named_parameters())" in str(report)
