"""Layers beyond the fully connected one: a frozen description of each, without arithmetic.

This page is the specification; every witness implements it on its own. A layer takes an array x of each of the m
examples, computes y, and hands a = g(y) · d/p on, with its activation g and its dropout mask d as in a fully connected
network. Shapes are those of one example: (n,) is a vector, (c, n) a signal of c channels, (c, h, w) an image. A file
holds an image as [height, width, channels]; layers see its channels first.

    dense         y = W x + b                                      W (units, n), b (units,); x is a vector
    conv1d        y[o, i] = b[o] + Σ W[o, c, p] x̄[c, s i + p]      W (channels, c, kernel), b (channels,); stride s
    conv2d        the same over two axes                           W (channels, c, height, width), b (channels,)
    max_pool      the largest of every window of a channel         over one axis, or over two
    average_pool  their mean
    layer_norm    y = γ (x − μ)/√(σ² + ε) + β                      μ, σ² over the last axes of x, all by default; γ, β
    rms_norm      y = γ x/√(ρ + ε)                                 of their shape; ρ the mean of x² over them
    batch_norm    the formula of layer_norm                        μ, σ² over the examples and positions of a channel
    flatten       x as a vector, in C-order
    reshape       x in another shape, in C-order
    residual      y = x + F(x)                                     F: layers of its own that keep the shape

x̄ is x with `padding` zeros at both ends of every axis; windows that do not fit are left out. Convolutions do not flip
their kernel, as in PyTorch and JAX. Of several largest numbers in a window the first one, in C-order, has the slope 1.
σ² is the mean of the squares (biased), and a batch norm always takes the mean and variance of the examples at hand, as
in training. The tensors of layer l are called after it, W3, b3, gamma3 and beta3 of the third; those of the second
layer inside a residual that is the third W3.2. Penalties are of all W and of nothing else.

Sources: LeCun et al., "Gradient-based learning applied to document recognition", 1998; Ba, Kiros & Hinton, "Layer
normalization", 2016; Zhang & Sennrich, "Root mean square layer normalization", 2019; Ioffe & Szegedy, "Batch
normalization", 2015; He et al., "Deep residual learning for image recognition", 2016.
"""

from xcheck.networks.layers.convolution import Convolution
from xcheck.networks.layers.dense import DenseLayer
from xcheck.networks.layers.layer import Layer, Parameter, Shape, ShapeError
from xcheck.networks.layers.network import LayeredNetwork, Placed
from xcheck.networks.layers.normalisation import BatchNorm, LayerNorm, RmsNorm
from xcheck.networks.layers.pooling import AveragePool, MaxPool
from xcheck.networks.layers.problem import LayeredProblem
from xcheck.networks.layers.residual import Residual
from xcheck.networks.layers.shaping import Flatten, Reshape

__all__ = [
    "AveragePool",
    "BatchNorm",
    "Convolution",
    "DenseLayer",
    "Flatten",
    "Layer",
    "LayerNorm",
    "LayeredNetwork",
    "LayeredProblem",
    "MaxPool",
    "Parameter",
    "Placed",
    "Reshape",
    "Residual",
    "RmsNorm",
    "Shape",
    "ShapeError",
]
