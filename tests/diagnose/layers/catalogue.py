"""All layers."""

from tests.diagnose.layers.attention import ATTENTION
from tests.diagnose.layers.convolution import CONVOLUTIONS
from tests.diagnose.layers.layer import Layer
from tests.diagnose.layers.lookup import LOOKUPS
from tests.diagnose.layers.norms import NORMS
from tests.diagnose.layers.pooling import POOLING
from tests.diagnose.layers.recurrent import RECURRENT

LAYERS: tuple[Layer, ...] = (*NORMS, *RECURRENT, *CONVOLUTIONS, *POOLING, ATTENTION, *LOOKUPS)
