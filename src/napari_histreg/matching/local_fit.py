"""What bending a picture onto another came to."""

from dataclasses import dataclass

from napari_histreg.geometry import FloatArray
from napari_histreg.transforms import Affine
from napari_histreg.transforms.displacement import DisplacementField

__all__ = ["LocalFit"]


@dataclass(frozen=True, eq=False)
class LocalFit:
    """A bent alignment, or the reasons for none.

    Parameters
    ----------
    matrix : (3, 3) ndarray
        The affine start.
    field : DisplacementField or None
        Fixed to moving with the affine part as its base; None where the blocks do not confirm a bend.
    stiffness : float or None
        Chosen by the left-out blocks.
    gain : float
        By which share bending raises the agreement of left-out blocks.
    certainty : float
        The gain in standard errors.
    blocks : int
        How many blocks were asked.
    min_jacobian : float
        Smallest area ratio of the bend; 1 without one.
    notes : tuple of str
        What happened, in plain words.
    refined : float
        By which share the left-out blocks agree better since every pixel was taken into account; 0 where
        the field is the one through blocks.
    """

    matrix: FloatArray
    field: DisplacementField | None = None
    stiffness: float | None = None
    gain: float = 0.0
    certainty: float = 0.0
    blocks: int = 0
    min_jacobian: float = 1.0
    notes: tuple[str, ...] = ()
    refined: float = 0.0

    @property
    def fixed_to_moving(self) -> Affine | DisplacementField:
        """The bent alignment where there is one, the affine otherwise."""
        return Affine(self.matrix) if self.field is None else self.field
