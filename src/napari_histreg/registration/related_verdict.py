"""Verdict on a pose of two images whose values are related: CT and MR share tissue, but few edges."""

from napari_histreg.matching.related_evidence import ACCEPT, DOUBT, RelatedEvidence
from napari_histreg.records.record import VerdictWord
from napari_histreg.registration.automatic.criteria import Verdict

__all__ = ["judge_related"]


def judge_related(evidence: RelatedEvidence) -> Verdict:
    """Turn what cells and wrong poses say into a verdict with its reasons.

    What it cannot tell: two slices that agree inside as well, such as neighbouring ones of one head. A pose
    of these is as right as it can be, but they do not show the same section.

    Examples
    --------
    >>> from napari_histreg.cell_agreement import CellAgreement
    >>> judge_related(RelatedEvidence(CellAgreement(18, 31, 0.11), CellAgreement(11, 25, 0.11), 1.3)).word
    'accepted'
    >>> judge_related(RelatedEvidence(CellAgreement(5, 31, 0.11), CellAgreement(4, 25, 0.11), 1.1)).word
    'refused'
    """
    confidence = evidence.confidence
    word: VerdictWord = "refused"
    if confidence >= ACCEPT:
        word = "accepted"
    elif confidence >= DOUBT:
        word = "doubtful"
    return Verdict(word, confidence, evidence.reasons, evidence.figures)
