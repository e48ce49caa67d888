"""The slides of a group as they lie in its frame: one by one, or all as the channels of one slide."""

from collections.abc import Mapping, Sequence

from napari_histreg.errors import RegistrationError
from napari_histreg.groups.group import GroupRegistration
from napari_histreg.slides import Slide
from napari_histreg.warping import Grid, Output, merge_slides, select_channels, warp_slide

__all__ = ["frame_grid", "merged_group", "slide_in_frame"]


def frame_grid(group: GroupRegistration, output: Output | None = None) -> Grid:
    """Return the pixels of a group's frame.

    Parameters
    ----------
    group : GroupRegistration
    output : Output, optional
        "fixed" covers the template's area, "union" that of all slides; the pixels are the template's unless
        it says otherwise.

    Returns
    -------
    Grid
    """
    output = output or Output()
    template = group.members[group.template].slide
    grid = Grid.of(template)
    if output.cover == "union":
        grid = Grid.around(template, [(group.members[k].slide, group.frame_to(k)) for k in group.placed])
    return grid if output.pixel_size is None else grid.with_spacing(output.pixel_size)


def slide_in_frame(
    group: GroupRegistration,
    k: int | str,
    slide: Slide,
    output: Output | None = None,
    grid: Grid | None = None,
) -> Slide:
    """See one slide of a group in its frame, computed when it is read.

    Parameters
    ----------
    group : GroupRegistration
    k : int or str
        Which slide; place or name.
    slide : Slide
        That slide; it must stay open as long as the result is used.
    output : Output, optional
        Pixel size, interpolation and channels.
    grid : Grid, optional
        In place of what `frame_grid` gives.

    Returns
    -------
    Slide

    Raises
    ------
    RegistrationError
        The slide was refused.
    """
    output = output or Output()
    grid = grid or frame_grid(group, output)
    if output.channels is not None:
        slide = select_channels(slide, output.channels)
    size = None if group.unit == "px" else grid.spacing
    transform = group.frame_to(k)
    return warp_slide(slide, transform, grid, interpolation=output.interpolation, pixel_size_um=size)


def merged_group(
    group: GroupRegistration, slides: Mapping[int, Slide], output: Output | None = None
) -> Slide:
    """Put the channels of all slides that have a place into one slide, in the frame, lazily.

    Parameters
    ----------
    group : GroupRegistration
    slides : mapping of int to Slide
        The slides to merge, by their places; they must stay open.
    output : Output, optional
        Area, pixel size and interpolation.

    Returns
    -------
    Slide
        Each channel's name has its slide's in front; RGB slides become three channels.

    Raises
    ------
    RegistrationError
        None of the slides has a place.

    Examples
    --------
    >>> from napari_histreg.groups import register_group
    >>> from napari_histreg.samples import phantom_pair
    >>> pair = phantom_pair(1500, angle_deg=20)
    >>> both = {0: pair.fixed, 1: pair.moving}
    >>> [c.name for c in merged_group(register_group(list(both.values())), both).channels][2:4]
    ['phantom H&E blue', 'phantom IF DAPI']
    """
    placed = [k for k in sorted(slides) if group.members[k].frame_to_slide is not None]
    if not placed:
        raise RegistrationError("None of these slides has a place in the group: there is nothing to merge.")
    grid = frame_grid(group, output)
    warped = [slide_in_frame(group, k, slides[k], output, grid) for k in placed]
    return merge_slides(*warped, names=stems([group.names[k] for k in placed]))


def stems(names: Sequence[str]) -> list[str]:
    """Leave the endings of file names away, where the names stay different without.

    Examples
    --------
    >>> stems(["he.svs", "if.ome.tif"]), stems(["a.svs", "a.tif"])
    (['he', 'if'], ['a.svs', 'a.tif'])
    """
    short = [name.removesuffix(".gz").rsplit(".", 1)[0].removesuffix(".ome") for name in names]
    return short if len(set(short)) == len(names) else list(names)
