"""Recipe: bias and variance, told by the errors of the training and the validation part, and what to do about them.

    training   validation
        1 %         11 %     high variance (overfitting)
       15 %         16 %     high bias (underfitting)
       15 %         30 %     high bias, high variance
      0.5 %          1 %     low bias, low variance

"Such analysis is performed with respect to the human level performance, which is called Bayes error": bias is what the
training error has beyond that, variance what the validation error has beyond the training error. Between 1 % and 10 %,
the notes draw no line; here it is 5 %.

An error that was counted on m examples is known to √(p (1 − p)/m), its standard error: 0.6 % on a million examples may
be told from 0.5 %, and 2 % on fifty from nothing.

Source: lecture notes, "Bias and variance explained" and "Basic recipe for deep learning".
"""

from dataclasses import dataclass

HIGH = 0.05

BIAS_ADVICE = "try a bigger network, train longer, or another architecture"
VARIANCE_ADVICE = "add data, regularise (l2, dropout, early stopping), or try another architecture"


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasVariance:
    """Bias and variance.

    Attributes:
        training_error: in [0, 1].
        validation_error: in [0, 1].
        bayes_error: what nobody can do better.
        counted: numbers of examples of the two parts that errors were counted on; none where an error is no count.

    >>> BiasVariance(training_error=0.15, validation_error=0.16).case
    'high bias, low variance'
    >>> BiasVariance(training_error=0.15, validation_error=0.16, bayes_error=0.15).case
    'low bias, low variance'
    """

    training_error: float
    validation_error: float
    bayes_error: float = 0.0
    counted: tuple[int, int] | None = None

    @property
    def high_bias(self) -> bool:
        """Whether the training part is not even fitted."""
        return self.training_error - self.bayes_error > HIGH

    @property
    def high_variance(self) -> bool:
        """Whether what was fitted does not hold elsewhere."""
        return self.validation_error - self.training_error > HIGH

    @property
    def standard_errors(self) -> tuple[float, float] | None:
        """Standard errors of both errors, where they were counted."""
        if self.counted is None:
            return None
        training, validation = self.counted
        return _standard_error(self.training_error, training), _standard_error(self.validation_error, validation)

    @property
    def case(self) -> str:
        """One of the four."""
        return f"{'high' if self.high_bias else 'low'} bias, {'high' if self.high_variance else 'low'} variance"

    @property
    def advice(self) -> str:
        """What to try; nothing where nothing is to be done."""
        bias = f"against bias {BIAS_ADVICE}" if self.high_bias else ""
        variance = f"against variance {VARIANCE_ADVICE}" if self.high_variance else ""
        return "; ".join(part for part in (bias, variance) if part)


def _standard_error(fraction: float, examples: int) -> float:
    """Return √(p (1 − p)/m), with two successes and two failures more than were seen (Agresti & Coull, 1998).

    >>> round(_standard_error(0.0, 96), 3), round(_standard_error(0.5, 96), 3)
    (0.014, 0.05)
    """
    p, m = (fraction * examples + 2) / (examples + 4), examples + 4
    return float((p * (1 - p) / m) ** 0.5)
