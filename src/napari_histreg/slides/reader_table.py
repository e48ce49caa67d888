"""The table of readers: which kinds of files there are, and what reads them."""

from typing import NamedTuple

__all__ = ["READERS", "ReaderSpec"]


class ReaderSpec(NamedTuple):
    """One line of the table of readers.

    Parameters
    ----------
    name : str
        Short, unique.
    title : str
        For people.
    suffixes : tuple of str
        In lower case, with the dot; double ones such as ".ome.tif" included.
    signatures : tuple of bytes
        How such files begin; none where only the maker's library can tell.
    target : str
        "module:function", called with the path and `ReadOptions`.
    extra : str or None
        The extra of this package that it needs.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    signatures: tuple[bytes, ...]
    target: str
    extra: str | None = None


TIFF_SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_HERE = "napari_histreg.slides.readers."

READERS: tuple[ReaderSpec, ...] = (
    ReaderSpec(
        "openslide",
        "whole slide of a scanner (OpenSlide)",
        (
            ".mrxs",
            ".svs",
            ".ndpi",
            ".vms",
            ".vmu",
            ".scn",
            ".bif",
            ".svslide",
            ".tif",
            ".tiff",
            ".dcm",
            ".czi",
        ),
        (),
        _HERE + "_openslide:read_openslide",
    ),
    ReaderSpec(
        "tiff",
        "OME-TIFF or other TIFF",
        (
            ".ome.tif",
            ".ome.tiff",
            ".ome.tf2",
            ".ome.tf8",
            ".ome.btf",
            ".tiff.tiff",
            ".tif.tif",
            ".qptiff",
            ".tif",
            ".tiff",
            ".tf2",
            ".tf8",
            ".btf",
            ".svs",
        ),
        TIFF_SIGNATURES,
        _HERE + "_tiff:read_tiff",
    ),
    ReaderSpec(
        "image",
        "PNG, JPEG or BMP picture",
        (".png", ".jpg", ".jpeg", ".bmp"),
        (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"),
        _HERE + "_image:read_image",
    ),
    ReaderSpec(
        "ome-zarr",
        "OME-Zarr folder",
        (".ome.zarr", ".zarr"),
        (),
        _HERE + "_ome_zarr:read_ome_zarr",
    ),
    ReaderSpec(
        "slideio",
        "slide of Olympus or Zeiss (slideio)",
        (".vsi", ".czi"),
        (b"ZISRAWFILE",),
        _HERE + "_slideio:read_slideio",
        "slideio",
    ),
    ReaderSpec(
        "bioio",
        "microscope file (bioio)",
        (".nd2", ".lif", ".czi"),
        (),
        _HERE + "_bioio:read_bioio",
        "bioio",
    ),
    ReaderSpec(
        "volume",
        "plane of a volume (DICOM, NIfTI, NRRD, MetaImage)",
        (".dcm", ".dicom", ".ima", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"),
        (),
        _HERE + "_volume:read_volume_plane",
    ),
)
