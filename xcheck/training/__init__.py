"""Training: gradient descent with a witness's gradient, and a full check at some of its steps.

"Run at random initialisation, perhaps again after some training": a gradient may be right where weights are small, and
wrong where units saturate, die or cross a kink. Source: lecture notes, "Gradients checking implementation notes".
"""

from collections.abc import Sequence

from xcheck.training.report import Checkpoint, TrainingReport
from xcheck.training.run import train_loaded

__all__: Sequence[str] = ["Checkpoint", "TrainingReport", "train_loaded"]
