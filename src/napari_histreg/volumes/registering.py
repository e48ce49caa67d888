"""register_volumes: align two volumes in three dimensions and judge the result."""

import os
from dataclasses import dataclass
from time import perf_counter

from napari_histreg.errors import RegistrationError
from napari_histreg.progress import Progress, portion, silent
from napari_histreg.volumes.bend import VolumeBend
from napari_histreg.volumes.climbing import Freedom
from napari_histreg.volumes.opening import open_volume
from napari_histreg.volumes.pose import VolumePose
from napari_histreg.volumes.search import search_pose
from napari_histreg.volumes.verdict import VolumeVerdict, judge_volumes
from napari_histreg.volumes.volume import Volume

__all__ = ["VolumeRegistration", "register_volumes"]


@dataclass(frozen=True, eq=False)
class VolumeRegistration:
    """The alignment of two volumes: the pose, how far to trust it, and how it came about.

    Parameters
    ----------
    fixed, moving : Volume
        The volumes.
    fixed_to_moving : VolumePose or None
        Only the best guess if the verdict is "refused"; None where nothing was found.
    verdict : VolumeVerdict
        With `word`, `confidence` and `reasons`.
    freedom : {"rigid", "affine"}
        What was searched.
    seconds : float
        How long it took.
    bend : VolumeBend, optional
        What `bend_volumes` found and kept. It comes first: a fixed point goes through the bend, then through
        the pose.
    """

    fixed: Volume
    moving: Volume
    fixed_to_moving: VolumePose | None
    verdict: VolumeVerdict
    freedom: Freedom
    seconds: float
    bend: VolumeBend | None = None


def register_volumes(
    fixed: Volume | str | os.PathLike[str],
    moving: Volume | str | os.PathLike[str],
    *,
    freedom: Freedom = "rigid",
    initial: VolumePose | None = None,
    search_deg: float = 45.0,
    seed: int = 0,
    progress: Progress = silent,
) -> VolumeRegistration:
    """Align the moving volume to the fixed one by mutual information [1]_, and judge the result.

    All turns within a range are tried at every shift on a coarse grid, so that neither has to lie near the
    truth; the best of them climb, coarse to fine. Always look at the verdict.

    Parameters
    ----------
    fixed, moving : Volume or path
        What `open_volume` takes.
    freedom : {"rigid", "affine"}
        "affine" lets the last climbs stretch and shear.
    initial : VolumePose, optional
        Where to begin, in place of trying all.
    search_deg : float
        Turns about each axis tried to either side, up to 180.
    seed : int
        Of the samples that the last climb looks at.
    progress : Progress, optional
        Told of the progress; may raise `Cancelled`.

    Returns
    -------
    VolumeRegistration

    Raises
    ------
    ReadError
        A volume cannot be read, misses planes or does not know the size of its voxels.
    ValueError
        An argument is out of bounds.

    References
    ----------
    .. [1] D. Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE TMI
       22(1), 2003. doi:10.1109/TMI.2003.809072
    """
    if freedom not in ("rigid", "affine"):
        raise ValueError(
            f'Volumes are aligned "rigid" or "affine", and bent after that ("bspline", by bend_volumes), '
            f"not {freedom!r}."
        )
    if not 0 <= search_deg <= 180:
        raise ValueError(f"The range of turns is 0 to 180 degrees, not {search_deg}.")
    start = perf_counter()
    fixed = fixed if isinstance(fixed, Volume) else open_volume(fixed, progress=portion(progress, 0.0, 0.03))
    moving = (
        moving if isinstance(moving, Volume) else open_volume(moving, progress=portion(progress, 0.03, 0.06))
    )
    for volume in (fixed, moving):
        volume.require_even("registering it in three dimensions")
        if min(volume.shape) < 3:
            raise ValueError(f"{volume.name} has {volume.shape} voxels, too flat for three dimensions.")
    pose: VolumePose | None = None
    try:
        found = search_pose(
            fixed, moving, freedom=freedom, initial=initial, search_deg=search_deg, seed=seed,
            progress=portion(progress, 0.06, 0.9),
        )  # fmt: skip
        pose = found.pose
        verdict = judge_volumes(found, progress=portion(progress, 0.9, 1.0))
    except RegistrationError as error:
        verdict = VolumeVerdict("refused", 0.0, (str(error),))
    progress(1.0, verdict.word)
    return VolumeRegistration(fixed, moving, pose, verdict, freedom, perf_counter() - start)
