"""What a report says beside its numbers: findings (why it failed) and caveats (what the check does not show).

Codes do not change their meaning, and each has a page in `xcheck.pages`.

    XC1nn   findings: the outcome is not a plain comparison
    XC2nn   causes of a wrong gradient, in tens: 20 multiples, 21 penalties, 22 order, 23 missing or single parts and
            sums over another axis, 24 slopes of activations and losses, factors, masks and kinks, 25 rounding and
            range, 26 another loss, 27 complex numbers, 28 samples and solvers
    XC4nn   caveats; in a report they are its warnings
"""

from dataclasses import dataclass
from pathlib import Path

# What stands in the way of a plain comparison, or is known before any cause.
LOSSES_DIFFER = "XC101"
LOSS_NOT_FINITE = "XC102"
GRADIENT_NOT_FINITE = "XC103"
BACKEND_FAILED = "XC104"
NOTHING_TO_JUDGE = "XC105"
ALL_AGAINST_ORACLE = "XC106"
UNSTEADY_GRADIENT = "XC107"
DEPENDS_ON_HISTORY = "XC108"
OVERWRITTEN = "XC109"
LOSSES_PART = "XC110"
SHARED_FAULT = "XC111"
ALL_DIFFER = "XC112"
LOCATED = "XC113"
DENSE = "XC114"
NOT_SAVED = "XC115"
COTANGENT_MISREAD = "XC116"
PROVED_WRONG = "XC117"
WRONG_OPERATION = "XC118"
OTHER_VALUE = "XC119"

# Causes come in tens, by what the mistake is about. Factors, means and sums:
CAUSE_UNKNOWN = "XC200"
CONSTANT_FACTOR = "XC201"
OPPOSITE_SIGN = "XC202"
NOT_AVERAGED = "XC203"
MISCOUNTED = "XC204"
KEEP_PROB = "XC205"
BIAS_SUM = "XC206"
ACCUMULATED = "XC207"
FACTOR_BY_SLICE = "XC208"
OTHER_PARAMETER = "XC209"
# The penalty:
WRONG_L2 = "XC211"
SIGN_FOR_WEIGHT = "XC212"
PENALISED_BIAS = "XC213"
WRONG_L1 = "XC214"
# The order of components, tensors and axes:
TRANSPOSED = "XC221"
REORDERED = "XC222"
SWAPPED_TENSORS = "XC223"
TRANSPOSED_BACKWARD = "XC224"
SHIFTED = "XC225"
SYMMETRISED = "XC226"
# Parts that are missing, scaled or few:
DETACHED = "XC231"
MISSING_PART = "XC232"
FEW_COMPONENTS = "XC233"
SCALED_PART = "XC234"
WRONG_PART = "XC235"
CONSTANT_TERM = "XC236"
TERM_OF_PARAMETER = "XC237"
WRONG_TENSORS = "XC238"
WRONG_AXIS = "XC239"
# Steps of the backward pass:
ACTIVATION_SLOPE = "XC241"
LOSS_SLOPE = "XC242"
NEIGHBOURS_SLOPE = "XC243"
DETACHED_BRANCH = "XC244"
DROPOUT_BACKWARD = "XC245"
CONVENTION = "XC246"
NO_SUBGRADIENT = "XC247"
INNER_FACTOR = "XC248"
# Number formats:
ROUNDED = "XC251"
CLIPPED = "XC252"
UNDERFLOW = "XC253"
# The forward pass, where the losses differ already:
FORWARD_PARTS = "XC261"
LOSS_FORMULA = "XC262"
OPERATIONS_PART = "XC263"
# Complex parameters:
CONJUGATE = "XC271"
# Approximations, which the gradient is right for, and the loss is not:
IMPLICIT_SAMPLING = "XC281"
STOPS_EARLY = "XC282"

# Warnings are numbered one after the other: there are no tens among them.
CONSTANT_FEATURE = "XC401"
BACKEND_NOT_INSTALLED = "XC402"
ACTIVATED_LOGITS = "XC403"
AT_A_KINK = "XC404"
UNDECIDED_COMPONENTS = "XC405"
DEAD_UNITS = "XC406"
BLANK_INPUTS = "XC407"
ZERO_GRADIENT = "XC408"
BELOW_NOISE = "XC409"
VANISHING = "XC410"
EXPLODING = "XC411"
SATURATED_UNITS = "XC412"
PENALTY_DOMINATES = "XC413"
EQUAL_UNITS = "XC414"
NOT_NORMALIZED = "XC415"
NOT_DETERMINISTIC = "XC416"
FLOAT32_INSIDE = "XC417"
AUDIT_FAILED = "XC418"
AUDIT_UNDECIDED = "XC419"
SAMPLED = "XC420"
UNUSED_PARAMETERS = "XC421"
TRAINING_MODE = "XC422"
SHARED_PARAMETERS = "XC423"
CONJUGATED = "XC424"
ORACLE_NOT_FLOAT64 = "XC425"
COTANGENT = "XC426"
NO_SECOND_ORDER = "XC427"
ILL_CONDITIONED = "XC428"
LOSS_ROSE = "XC429"
DRIFT = "XC430"
NOT_FINITE = "XC431"
KEEP_PROBS = "XC432"
STATIONARY = "XC433"
HOOKED = "XC434"
INPUTS_NOT_CHECKED = "XC435"
EMBEDDING_OPTION = "XC436"
ON_A_STAIR = "XC437"
PROVED_INACCURATE = "XC438"
NOT_PROVED = "XC439"
NOT_LOOKED_INTO = "XC440"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The place in a person's program that a finding is about.

    Attributes:
        operation: what is called there.
        file: its path; None where it is not known.
        line: counted from 1; None where it is not known.
    """

    operation: str
    file: str | None = None
    line: int | None = None

    @property
    def short(self) -> str:
        """The operation, and the line in a file whose folder is not told."""
        return (
            f"`{self.operation}`" if self.file is None else f"`{self.operation}` at {Path(self.file).name}:{self.line}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding, or one caveat: the code tells which.

    Attributes:
        code: such as "XC401".
        text: a sentence with the numbers in it.
        tensor: the tensor it is about, if it is about one.
        value: the number it turns on, if there is one.
        trace: for what was raised in a person's function: the traceback through it.
        where: the operation and the line that it is about, if it is about one.
        beside: of two implementations the operation and the line in the other one, if it is about two.
    """

    code: str
    text: str
    tensor: str | None = None
    value: float | None = None
    trace: str | None = None
    where: Where | None = None
    beside: Where | None = None
