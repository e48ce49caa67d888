"""Files that would run code, take all memory or never end, each refused in a sentence."""

import gzip
import json
import os
import pickle
import struct
import zlib

import numpy as np
import pytest
import tifffile

from napari_histreg.cohorts import read_cases
from napari_histreg.errors import HistregError
from napari_histreg.groups.document import read_group
from napari_histreg.landmarks import read_landmarks
from napari_histreg.projections import open_projections
from napari_histreg.projections.angles import read_angles
from napari_histreg.records.document import read_registration
from napari_histreg.slides import open_slide
from napari_histreg.transforms.formats import SlideFrame, read_transform
from napari_histreg.transforms.formats.elastix_parameters import read_parameters
from napari_histreg.volumes import open_volume
from napari_histreg.volumes.folder import read_volume_pose

SPACE = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]


def zarr_of(path, level, chunk, levels=1):
    path.mkdir()
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    datasets = [{"path": str(k)} for k in range(levels)]
    (path / ".zattrs").write_text(json.dumps({"multiscales": [{"axes": SPACE, "datasets": datasets}]}))
    good = {
        "zarr_format": 2, "shape": [64, 64], "chunks": [64, 64], "dtype": "|u1", "compressor": None,
        "fill_value": 0, "order": "C", "filters": None,
    }  # fmt: skip
    for k in range(levels):
        (path / str(k)).mkdir()
        last = k == levels - 1
        (path / str(k) / ".zarray").write_text(json.dumps({**good, **(level if last else {})}))
        (path / str(k) / "0.0").write_bytes(chunk if last else bytes(4096))
    return path


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize(
    "level",
    [
        {"filters": [{"id": "pickle"}]},
        {"compressor": {"id": "pickle"}},
        {"dtype": "|O", "filters": [{"id": "pickle"}]},
        {"dtype": "|O", "filters": [{"id": "vlen-utf8"}]},
    ],
    ids=str,
)
def test_no_level_of_a_zarr_has_code_executed(tmp_path, level, levels):
    path = zarr_of(tmp_path / "a.zarr", level, pickle.dumps(Evil(tmp_path / "executed")), levels)
    with pytest.raises(HistregError, match=r"a\.zarr"), open_slide(path) as slide:
        slide.read_level(0)
    assert not (tmp_path / "executed").exists()


BOMB = bytes(1 << 26)


@pytest.mark.parametrize(
    ("codec", "chunk"),
    [
        ("zlib", zlib.compress(BOMB)),
        ("gzip", gzip.compress(BOMB, mtime=0)),
        ("gzip", gzip.compress(bytes(99), mtime=0) + gzip.compress(BOMB, mtime=0) * 3),
        ("lz4", struct.pack("<I", 2**31 - 1) + bytes(99)),
        ("blosc", b"\2\1\1\1" + struct.pack("<III", 2**31 - 1, 64, 80) + bytes(64)),
        ("zstd", struct.pack("<IBQ", 0xFD2FB528, 0xE0, 2**40) + bytes(20)),
    ],
)
def test_chunks_stay_as_large_as_chunks_are(tmp_path, codec, chunk):
    path = zarr_of(tmp_path / "a.zarr", {"compressor": {"id": codec}}, chunk)
    with open_slide(path) as slide, pytest.raises(HistregError, match="would become more"):
        slide.read_level(0)


def ome(**sizes):
    counts = " ".join(f'Size{axis}="{sizes.get(axis, 1)}"' for axis in "ZCT")
    block = sizes.get("block", "<TiffData/>")
    return (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="I">'
        f'<Pixels ID="P" DimensionOrder="XYZCT" Type="uint8" SizeX="64" SizeY="64" {counts}>{block}</Pixels>'
        "</Image></OME>"
    )


@pytest.mark.parametrize(
    "xml",
    [
        ome(T=10**9),
        ome(C=10**9),
        ome(Z="9" * 5000),
        ome(block='<TiffData IFD="0" PlaneCount="1000000000"/>'),
        ome(C=2, block='<TiffData><UUID FileName="../x.tif">urn:uuid:1</UUID></TiffData>'),
        ome(C=2, block='<TiffData><UUID FileName="/dev/zero">urn:uuid:1</UUID></TiffData>'),
        ome(C=2, block='<TiffData><UUID FileName="pipe.tif">urn:uuid:1</UUID></TiffData>'),
        '<!DOCTYPE x [<!ENTITY a "a">]>' + ome().partition("?>")[2],
    ],
    ids=range(8),
)
def test_ome_xml_is_measured_by_its_file(tmp_path, xml):
    os.mkfifo(tmp_path / "pipe.tif")
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((64, 64), np.uint8), description=xml, metadata=None)
    with pytest.raises(HistregError):
        open_slide(tmp_path / "a.ome.tif")


READERS = {
    "slide": open_slide,
    "landmarks": read_landmarks,
    "transform": lambda path: read_transform(path, "csv", fixed=SlideFrame(), moving=SlideFrame()),
    "itk": lambda path: read_transform(path, "itk"),
    "field": lambda path: read_transform(path, "itk_field"),
    "volume": open_volume,
    "pose of volumes": read_volume_pose,
    "projections": lambda path: open_projections(path.rename(path.with_suffix(".tif")), "0:180"),
    "hdf5": lambda path: open_projections(path.rename(path.with_suffix(".h5")), "0:180"),
    "angles": read_angles,
    "cases": read_cases,
    "record": read_registration,
    "group": read_group,
    "elastix": read_parameters,
    "czi": lambda path: open_slide(path.rename(path.with_suffix(".czi"))),
    "vsi": lambda path: open_slide(path.rename(path.with_suffix(".vsi"))),
}


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "folder"])
@pytest.mark.parametrize("reader", READERS)
def test_only_regular_files_are_read(tmp_path, reader, kind):
    path = tmp_path / "file.mha"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)
    with pytest.raises(HistregError):
        READERS[reader](path)


@pytest.mark.parametrize("data", ["/dev/zero", "../x.raw", "pipe", "LIST"])
def test_a_header_leads_to_one_file_beside_it(tmp_path, data):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "f.mhd").write_text(f"NDims = 2\nDimSize = 2 2\nElementDataFile = {data}\n")
    with pytest.raises(HistregError):
        read_transform(tmp_path / "f.mhd", "itk_field")


@pytest.mark.parametrize("grid", ["-5 -5", "100000 100000", "3 3", "4.5 4", "nan 4"])
def test_a_control_grid_s_counts_are_checked_before_itk_sees_them(tmp_path, grid):
    text = (
        "#Insight Transform File V1.0\n#Transform 0\nTransform: BSplineTransform_double_2_2\n"
        f"Parameters: 0 0\nFixedParameters: {grid} 0 0 1 1 1 0 0 1\n"
    )
    (tmp_path / "t.tfm").write_text(text)
    with pytest.raises(HistregError):
        read_transform(tmp_path / "t.tfm", "itk")


@pytest.mark.parametrize("entry", ["IMAGENUMBER_X = 2000000000", "FILE_0 = ../x", "INDEXFILE = pipe"])
def test_a_hostile_index_is_refused_before_it_is_followed(tmp_path, entry):
    (tmp_path / "s").mkdir()
    os.mkfifo(tmp_path / "s" / "pipe")
    (tmp_path / "s.mrxs").write_bytes(b"\xff\xd8\xff\xe0" + bytes(99))
    (tmp_path / "s" / "Slidedat.ini").write_text(f"[GENERAL]\n{entry}\n")
    with pytest.raises(HistregError, match=r"index|not a file"):
        open_slide(tmp_path / "s.mrxs")
