"""Many θ at once by vmap: recurrent layers are taken apart, and give what they give one by one."""

from typing import Any

import pytest
import torch
from torch import nn

import xcheck
from xcheck_torch.vmaps import LossMap

COUNT = 5
LAYERS = {
    "lstm": lambda: nn.LSTM(3, 4, batch_first=True),
    "two layers, both ways": lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True),
    "gru": lambda: nn.GRU(3, 4),
    "tanh": lambda: nn.RNN(3, 4),
    "relu": lambda: nn.RNN(3, 4, nonlinearity="relu", bias=False),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("alone", [True, False])
def test_recurrent_layers_are_batched(name: str, alone: bool) -> None:
    """Whether all parameters differ, or one alone."""
    torch.manual_seed(0)
    layer, x = LAYERS[name]().double(), torch.randn(2, 6, 3, dtype=torch.float64)
    given = {key: value.detach() for key, value in layer.named_parameters()}
    varied = ["weight_hh_l0"] if alone else list(given)
    batch = dict(given) | {key: given[key] + 0.1 * torch.randn(COUNT, *given[key].shape).double() for key in varied}

    def loss(params: dict[str, Any]) -> Any:
        return torch.func.functional_call(layer, params, (x,))[0].square().sum()

    losses = LossMap()(loss, batch, varied)
    for row in range(COUNT):
        own = {key: value[row] if key in varied else value for key, value in batch.items()}
        assert losses[row] == pytest.approx(float(loss(own)), rel=1e-12)


def test_whatever_else_vmap_cannot_do_is_raised() -> None:
    """A loss that looks at its value, once and again."""
    mapped = LossMap()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            mapped(lambda p: p["w"].sum() if p["w"].sum() > 0 else p["w"].prod(), {"w": torch.ones(3, 2)}, ["w"])


def test_a_check_of_a_recurrent_module_is_batched() -> None:
    """And a gradient that is a little wrong in it is found."""
    torch.manual_seed(1)

    class Outputs(nn.GRU):  # type: ignore[misc] # torch is not analysed
        def forward(self, x: Any) -> Any:
            return super().forward(x)[0]

    module, x = Outputs(3, 4).double(), torch.randn(5, 2, 3, dtype=torch.float64)
    report = xcheck.check(xcheck.objective(module, "torch", loss=lambda y: y.square().mean()), data=(x,))
    assert report.ok
    assert report.oracle.engine == "torch: torch.func.vmap"
    module.weight_ih_l0.register_hook(lambda gradient: gradient * (1 + 1e-5))
    assert not xcheck.check(xcheck.objective(module, "torch", loss=lambda y: y.square().mean()), data=(x,)).ok
