"""Volume: a pile of planes that knows where it lies in the patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_histreg.errors import ReadError
from napari_histreg.geometry import FloatArray

__all__ = ["Volume", "is_regular"]


@dataclass(frozen=True, eq=False)
class Volume:
    """An image of three dimensions in memory.

    It holds no name, number or date of a patient: of what the file tells about the person and the visit,
    nothing but the modality is kept.

    Parameters
    ----------
    name : str
        For people: the file's or folder's name.
    pixels : (Z, Y, X) or (Z, Y, X, 3) ndarray
        Values as the file means them: Hounsfield units for CT. Three columns are colours.
    index_to_patient : (4, 4) ndarray
        Maps indices (z, y, x, 1) of voxel centres to mm in the patient's frame, (z, y, x): to the head,
        to the back, to the left.
    modality : str or None
        The short DICOM word, such as "CT", "MR" or "PT"; None where the file does not tell.
    path : str or None
        The file or folder, where there is one.
    series : str or None
        Identity of the DICOM series.
    is_scaled : bool
        Whether the size of a voxel within its plane is known; otherwise it is called 1 mm.
    uneven : str
        Why the planes do not make an even pile, such as a missing one; empty where they do.

    Raises
    ------
    ValueError
        The pixels are no volume, or the matrix is singular.

    Examples
    --------
    >>> volume = Volume("phantom", np.zeros((4, 8, 8), np.int16), np.diag([5.0, 1.0, 1.0, 1.0]))
    >>> volume.spacing_mm, volume.to_patient([[1, 0, 2]]).tolist()
    ((5.0, 1.0, 1.0), [[5.0, 0.0, 2.0]])
    """

    name: str
    pixels: NDArray[np.generic]
    index_to_patient: FloatArray
    modality: str | None = None
    path: str | None = None
    series: str | None = None
    is_scaled: bool = True
    uneven: str = ""

    def __post_init__(self) -> None:
        colours = self.pixels.ndim == 4 and self.pixels.shape[3] == 3
        if not (self.pixels.ndim == 3 or colours) or 0 in self.pixels.shape:
            raise ValueError(f"A volume is (Z, Y, X) or (Z, Y, X, 3), not an array of {self.pixels.shape}.")
        matrix = np.asarray(self.index_to_patient, float)
        if not is_regular(matrix):
            raise ValueError(f"The place of {self.name} is not a regular (4, 4) matrix: {matrix.tolist()}.")
        object.__setattr__(self, "index_to_patient", matrix)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of planes, rows and columns."""
        z, y, x = self.pixels.shape[:3]
        return int(z), int(y), int(x)

    @property
    def is_rgb(self) -> bool:
        """Whether the voxels are colours."""
        return self.pixels.ndim == 4

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxel centres (z, y, x) in mm."""
        z, y, x = np.linalg.norm(self.index_to_patient[:3, :3], axis=0)
        return float(z), float(y), float(x)

    @property
    def centre_mm(self) -> FloatArray:
        """The middle of the volume in the patient's frame, (3,)."""
        return np.asarray(self.to_patient([(np.array(self.shape) - 1) / 2])[0])

    @property
    def corners_mm(self) -> FloatArray:
        """The eight corner voxels' centres in the patient's frame, (8, 3)."""
        ends = np.array(np.meshgrid(*[[0, n - 1] for n in self.shape], indexing="ij"))
        return self.to_patient(ends.reshape(3, -1).T)

    def to_patient(self, indices: ArrayLike) -> FloatArray:
        """Map (N, 3) indices (z, y, x) to mm in the patient's frame."""
        matrix = self.index_to_patient
        return np.asarray(np.asarray(indices, float) @ matrix[:3, :3].T + matrix[:3, 3])

    def to_index(self, points_mm: ArrayLike) -> FloatArray:
        """Map (N, 3) points (z, y, x) in mm to fractional indices."""
        matrix = np.linalg.inv(self.index_to_patient)
        return np.asarray(np.asarray(points_mm, float) @ matrix[:3, :3].T + matrix[:3, 3])

    def require_even(self, purpose: str) -> None:
        """Make sure that the volume can be taken as one body.

        Parameters
        ----------
        purpose : str
            What for, as in "registering it in three dimensions".

        Raises
        ------
        ReadError
            Planes are missing, or their distance is unknown.
        """
        if self.uneven:
            raise ReadError(f"{self.name}: {self.uneven} That rules out {purpose}.")
        axes = self.index_to_patient[:3, :3] / np.asarray(self.spacing_mm)
        if np.abs(axes.T @ axes - np.eye(3)).max() > 0.01:
            raise ReadError(
                f"{self.name} is sheared: its axes are not at right angles. That rules out {purpose}. "
                "Resample it to an upright grid first."
            )
        if not self.is_scaled:
            raise ReadError(f"{self.name} does not say how large its voxels are. That rules out {purpose}.")


def is_regular(matrix: FloatArray) -> bool:
    """Tell whether a matrix is (4, 4), finite and keeps three dimensions, whatever its unit."""
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        return False
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    return bool(lengths.min() > 0 and abs(np.linalg.det(matrix[:3, :3] / lengths)) > 1e-6)
