"""Converting a file of one tool into that of another, in the window."""

from collections.abc import Callable
from pathlib import Path

from napari_histreg.files import check_outputs
from napari_histreg.progress import Progress
from napari_histreg.records.conversion import convert_file
from napari_histreg.records.document import read_registration

__all__ = ["conversion"]


def conversion(
    source: str | Path,
    target: str | Path,
    *,
    to_dialect: str,
    from_dialect: str | None = None,
    landmarks: bool = False,
    registration: str | Path | None = None,
    pixel_sizes: tuple[float | None, float | None] = (None, None),
) -> Callable[[Progress], str]:
    """Return the call that converts a file, as ``histreg convert`` does; see `convert_file`.

    Parameters
    ----------
    source, target : path-like
        What is read and what is written.
    to_dialect, from_dialect : str
        Layouts; the one that is read is guessed by default.
    landmarks : bool
        Whether they hold landmarks instead of a transform.
    registration : path-like, optional
        A registration.json that knows the slides.
    pixel_sizes : (float or None, float or None)
        µm per pixel of the fixed and the moving slide, where nothing else knows.
    """
    source, target = Path(source), Path(target)
    knows = None if not registration else Path(registration)

    def call(progress: Progress) -> str:
        progress(0.0, f"reading {source.name}")
        check_outputs(target, inputs=(source, knows))
        convert_file(
            source,
            target,
            to_dialect=to_dialect,
            from_dialect=from_dialect,
            landmarks=landmarks,
            registration=None if knows is None else read_registration(knows),
            fixed_pixel_size=pixel_sizes[0],
            moving_pixel_size=pixel_sizes[1],
        )
        return f"Wrote {target}."

    return call
