"""DICOM files with known content, written by pydicom; the patient's name in them is one to look for."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PATIENT = "Secretperson^Hedwig"
CT = "1.2.840.10008.5.1.4.1.1.2"
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


def write_slice(
    path: Path,
    pixels: np.ndarray,
    *,
    position=(0.0, 0.0, 0.0),
    orientation=(1, 0, 0, 0, 1, 0),
    spacing=(0.5, 0.75),
    slope=1.0,
    intercept=0.0,
    series=None,
    number=1,
    instance=1,
    sop_class=CT,
    modality="CT",
) -> Path:
    """Write one plane of stored values; `spacing` is (rows, columns), None leaves it out."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID, data.PatientBirthDate = PATIENT, "SECRETID", "19330404"
    data.Modality, data.SeriesNumber, data.InstanceNumber = modality, number, instance
    data.SeriesInstanceUID, data.StudyInstanceUID = series or generate_uid(), generate_uid()
    data.SeriesDescription = f"Head of {PATIENT}"
    if position is not None:
        data.ImagePositionPatient = [f"{v:.6f}" for v in position]
        data.ImageOrientationPatient = [f"{v:.9f}" for v in orientation]
    if spacing is not None:
        data.PixelSpacing = [str(v) for v in spacing]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, int(pixels.dtype.kind == "i")
    data.RescaleSlope, data.RescaleIntercept = str(slope), str(intercept)
    data.PixelData = pixels.astype("<i2" if pixels.dtype.kind == "i" else "<u2").tobytes()
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


def write_series(folder: Path, stack: np.ndarray, *, heights, series=None, shuffled=True, **options) -> str:
    """Write planes (Z, Y, X) of one axial series; names do not tell the order."""
    folder.mkdir(parents=True, exist_ok=True)
    series = series or generate_uid()
    order = np.random.default_rng(0).permutation(len(stack)) if shuffled else np.arange(len(stack))
    for k, (plane, height) in enumerate(zip(stack, heights, strict=True)):
        write_slice(
            folder / f"I{order[k]:03d}.dcm", plane, position=(-10.0, -20.0, height), series=series,
            instance=int(order[k]), **options,
        )  # fmt: skip
    return series
