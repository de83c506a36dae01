"""LayeredNetwork: shapes from layer to layer, and names of the tensors."""

import pytest

from xcheck.errors import DefinitionError
from xcheck.networks.layers import Convolution, DenseLayer, Flatten, Layer, LayeredNetwork, LayerNorm, Residual, Shape
from xcheck.networks.layers.network import place_layers

CONV = Convolution(channels=2, kernel=(3, 3), stride=(1, 1), padding=(1, 1), keep_prob=0.5)
NORM = LayerNorm(epsilon=1e-5)


def network(*layers: Layer, shape: Shape = (2, 4, 4)) -> LayeredNetwork:
    """A network of images."""
    return LayeredNetwork(input_shape=shape, layers=layers, loss="mean_squared_error")


def test_names_and_shapes() -> None:
    """Tensors are called after the number of their layer, inside a residual after both numbers."""
    found = network(CONV, Residual(layers=(NORM, CONV)), Flatten(), DenseLayer(units=3))
    assert found.shapes == {
        "W1": (2, 2, 3, 3),
        "b1": (2,),
        "gamma2.1": (2, 4, 4),
        "beta2.1": (2, 4, 4),
        "W2.2": (2, 2, 3, 3),
        "b2.2": (2,),
        "W4": (3, 32),
        "b4": (3,),
    }
    assert (found.weights, found.outputs) == (("W1", "W2.2", "W4"), 3)


def test_without_dropout() -> None:
    """Inside a residual, too."""
    found = network(Residual(layers=(CONV,)), Flatten()).without_dropout()
    assert [placed.layer.keep_prob for placed in found.walk()] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        ((CONV, DenseLayer(units=3)), "network.layers[1]: a dense layer takes a vector"),
        ((CONV,), "network.layers[0]: the outputs are a vector, not 2 x 4 x 4: end with"),
        ((Residual(layers=(Flatten(), CONV)),), "network.layers[0].layers[1]: conv2d takes an image"),
        ((Residual(layers=(Flatten(),)),), "network.layers[0].layers: a residual adds what its layers make to what"),
    ],
)
def test_layers_that_do_not_fit(layers: tuple[Layer, ...], complaint: str) -> None:
    """The complaint is at the layer that does not take what comes from below."""
    with pytest.raises(DefinitionError) as caught:
        network(*layers)
    assert str(caught.value).startswith(complaint)


def test_layers_are_placed_from_the_first_on() -> None:
    """Each with what comes from below."""
    assert [(placed.number, placed.inputs) for placed in place_layers((CONV, Flatten()), (2, 4, 4))] == [
        ("1", (2, 4, 4)),
        ("2", (2, 4, 4)),
    ]
