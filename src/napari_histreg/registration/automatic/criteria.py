"""What a verdict asks for, and how measures become one, with its reasons in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from napari_histreg.matching.left_out_blocks import Agreement
from napari_histreg.records.record import VerdictWord

__all__ = ["CRITERIA", "Criteria", "Measures", "Verdict", "decide", "with_margin"]


@dataclass(frozen=True)
class Criteria:
    """What the verdict asks for.

    Measured on 503 poses of real pairs that belong together (79 right poses: the same section stained
    twice, neighbouring sections, H&E with second-harmonic images) and that do not (424 best poses). The
    first three numbers lie half-way between the weakest right and the strongest wrong poses; the weights
    are a logistic regression on them, ridge 0.2, both kinds counted equally. The bias is chosen so that
    the weakest right pose (0.64) and the strongest wrong one (0.30) are equally far from 0.5.

    Parameters
    ----------
    stand_out, margin, agreement : float
        Values at which a pose is about as likely wrong as right, going by that measure alone.
    weights : (float, float, float)
        Of the logarithms of stand-out and margin, and of the square root of agreement.
    bias : float
        Added to the weighted sum.
    accept, doubt : float
        Least confidence of "accepted" and of "doubtful".
    least_overlap : float
        Share of the smaller picture that must be seen in both.
    least_margin : float
        Below it a pose is refused whatever the other measures say; the weakest right pose had 1.5, and 99
        of 100 wrong ones less than 1.4.
    least_rival : float
        What the best of a few refined wrong poses reaches at least; margins are taken over no less.
    """

    stand_out: float = 8.3
    margin: float = 1.45
    agreement: float = 3.0
    weights: tuple[float, float, float] = (3.3, 2.1, 3.9)
    bias: float = 0.9
    accept: float = 0.5
    doubt: float = 0.25
    least_overlap: float = 0.03
    least_margin: float = 1.2
    least_rival: float = 4.0


CRITERIA = Criteria()


@dataclass(frozen=True)
class Measures:
    """What was measured of a pose.

    Parameters
    ----------
    stand_out : float
        Standard deviations above the pose's own shifts.
    margin : float
        Score over that of the best distinct wrong pose.
    agreement : Agreement
        Of blocks that took no part in the fit.
    overlap : float
        Share of the smaller picture that both show, 0 to 1.
    plausible : bool
        Whether the pose is one a specimen can have: finite, not singular, hardly sheared.
    z : float
        Score by which the pose is compared with others.
    """

    stand_out: float
    margin: float
    agreement: Agreement
    overlap: float
    plausible: bool = True
    z: float = 0.0

    def among(self, places: int) -> "Measures":
        """Take off what the best of so many places reaches by chance, as Bonferroni's correction does.

        A deviation of z standard deviations has a likelihood of about exp(-z²/2); among n places the best
        has n times that.

        Examples
        --------
        >>> round(Measures(8.0, 2.0, Agreement(30, 40, 0.06), 1.0).among(100).stand_out, 2)
        7.4
        """
        left = max(self.stand_out**2 - 2 * np.log(max(places, 1)), 0.0)
        agreement = replace(self.agreement, places=places)
        return replace(self, stand_out=float(np.sqrt(left)), agreement=agreement)


@dataclass(frozen=True)
class Verdict:
    """How far an alignment can be trusted.

    Parameters
    ----------
    word : {"accepted", "doubtful", "refused"}
        The verdict.
    confidence : float or None
        From 0 to 1: of alignments measured like this one, about so many were right; None where nothing
        could be measured.
    reasons : tuple of str
        Why, in plain words.
    measures : mapping of str to float
        The figures behind it.
    """

    word: VerdictWord
    confidence: float | None
    reasons: tuple[str, ...]
    measures: Mapping[str, float] = field(default_factory=dict)


def with_margin(measures: Measures, rival: float, criteria: Criteria = CRITERIA) -> Measures:
    """Complete measures by the score of the best distinct wrong pose."""
    return replace(measures, margin=measures.z / max(rival, criteria.least_rival))


def decide(measures: Measures, *, criteria: Criteria = CRITERIA) -> Verdict:
    """Turn measures into a verdict with its reasons.

    Examples
    --------
    >>> decide(Measures(20.0, 3.0, Agreement(30, 40, 0.06), 0.8)).word
    'accepted'
    >>> decide(Measures(4.0, 1.0, Agreement(2, 40, 0.06), 0.8)).word
    'refused'
    """
    above = measures.agreement.above_chance
    figures = {
        "stand_out": measures.stand_out,
        "margin": measures.margin,
        "blocks_agreeing": float(measures.agreement.agreeing),
        "blocks_tested": float(measures.agreement.tested),
        "agreement": above,
        "overlap": measures.overlap,
    }
    if not measures.plausible:
        return Verdict("refused", 0.0, ("The transform is singular or sheared beyond what tissue can be.",))
    x = (
        np.log(max(measures.stand_out, 0.1) / criteria.stand_out),
        np.log(max(measures.margin, 0.05) / criteria.margin),
        np.sqrt(max(above, 0.0)) - np.sqrt(criteria.agreement),
    )
    logit = float(np.dot(criteria.weights, x)) + criteria.bias
    confidence = float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))
    # Whatever blocks say: where clearly different poses fit as well, nobody can tell which is right.
    if measures.overlap < criteria.least_overlap or measures.margin < criteria.least_margin:
        confidence = min(confidence, 0.2)
    confidence = round(confidence, 4)
    word: VerdictWord = "refused"
    if confidence >= criteria.accept:
        word = "accepted"
    elif confidence >= criteria.doubt:
        word = "doubtful"
    return Verdict(word, confidence, _reasons(measures, criteria), figures)


def _reasons(measures: Measures, criteria: Criteria) -> tuple[str, ...]:
    """Say what was measured and what was asked for."""
    agreement = measures.agreement
    expected = agreement.chance * agreement.tested
    out = [
        f"It fits {measures.margin:.1f} times as well as the best clearly different pose "
        f"(about {criteria.margin:.1f} times is where right and wrong part).",
        f"{agreement.agreeing} of {agreement.tested} blocks that took no part in the fit agree with it; "
        f"chance would give {expected:.0f}.",
        f"It stands {measures.stand_out:.0f} standard deviations above other shifts "
        f"(about {criteria.stand_out:.0f} is where right and wrong part).",
    ]
    if measures.overlap < 0.4:
        out.append(f"The two images share only {100 * measures.overlap:.0f} % of the smaller one.")
    return tuple(out)
