"""Bias and variance, read off the errors of the training and the validation part, and what to do about them.

    training   validation
        1 %         11 %     high variance (overfitting)
       15 %         16 %     high bias (underfitting)
       15 %         30 %     high bias, high variance
      0.5 %          1 %     low bias, low variance

"Such analysis is performed with respect to the human level performance, which is called Bayes error": bias is what the
training error has beyond that, variance what the validation error has beyond the training error. Between 1 % and 10 %,
the notes draw no line; here it is 5 %.

An error that was counted on m examples is known to √(p (1 − p)/m), its standard error: on a million examples 0.6 % and
0.5 % differ, on fifty examples 2 % and 0 % may not.

Source: lecture notes, "Bias and variance explained" and "Basic recipe for deep learning".
"""

from dataclasses import dataclass

# Between the notes' 1 % (low) and 10 % (high); where between is a guess.
HIGH = 0.05

BIAS_ADVICE = "try a bigger network, train longer, or another architecture"
VARIANCE_ADVICE = "add data, regularise (l2, dropout, early stopping), or try another architecture"


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasVariance:
    """Errors of the training and the validation part, and what they say about bias and variance.

    Attributes:
        training_error: in [0, 1].
        validation_error: in [0, 1].
        bayes_error: the least error that anybody can reach.
        counted: how many answers of the two parts the errors were counted on; None where an error is no count.

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
        """Whether even the training part is fitted badly."""
        return self.training_error - self.bayes_error > HIGH

    @property
    def high_variance(self) -> bool:
        """Whether the validation part is predicted much worse than the training part."""
        return self.validation_error - self.training_error > HIGH

    @property
    def standard_errors(self) -> tuple[float, float] | None:
        """Standard errors of both errors; None where they were not counted."""
        if self.counted is None:
            return None
        # Each answer is right or wrong, independently of the others: a binomial count.
        training, validation = self.counted
        return _standard_error(self.training_error, training), _standard_error(self.validation_error, validation)

    @property
    def case(self) -> str:
        """One of the four cases of the table, in words."""
        return f"{'high' if self.high_bias else 'low'} bias, {'high' if self.high_variance else 'low'} variance"

    @property
    def advice(self) -> str:
        """What to try, in words; empty where both are low."""
        bias = f"against bias {BIAS_ADVICE}" if self.high_bias else ""
        variance = f"against variance {VARIANCE_ADVICE}" if self.high_variance else ""
        return "; ".join(part for part in (bias, variance) if part)


def _standard_error(fraction: float, examples: int) -> float:
    """Return √(p (1 − p)/m), with two successes and two failures more than were seen (Agresti & Coull, 1998).

    >>> round(_standard_error(0.0, 96), 3), round(_standard_error(0.5, 96), 3)
    (0.014, 0.05)
    """
    # Without those four, an error of 0 would have no standard error, however few were counted.
    p, m = (fraction * examples + 2) / (examples + 4), examples + 4
    return float((p * (1 - p) / m) ** 0.5)
