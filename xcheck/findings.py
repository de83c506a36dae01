"""What a report says beside its numbers: findings (why it failed) and warnings (what the check does not prove).

Codes do not change their meaning. XC1xx: the outcome is not a plain comparison. XC4xx: warnings.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding or warning.

    Attributes:
        code: such as "XC401".
        text: a sentence with the numbers in it.
        tensor: the tensor it is about, if it is about one.
        value: the number it turns on, if there is one.
        trace: for what was raised in a person's function: the traceback through it.
    """

    code: str
    text: str
    tensor: str | None = None
    value: float | None = None
    trace: str | None = None
