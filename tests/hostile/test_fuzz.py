"""Text files with random changes end in a value or in one error of this package, never in anything else."""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_histreg.errors import HistregError
from napari_histreg.landmarks import read_landmarks
from napari_histreg.records.document import read_registration
from napari_histreg.transforms.formats import SlideFrame, read_transform

EXAMPLES = int(os.environ.get("HISTREG_EXAMPLES", "100"))
FRAME = SlideFrame(pixel_size_um=(0.5, 0.5), shape=(100, 200))
PAIR = "name,enabled,fixed_x_px,fixed_y_px,moving_x_px,moving_y_px\na,true,1,2,3,4\nb,false,5,6,7,8\n"
RECORD = {
    "format": "napari-histreg registration",
    "version": 1,
    **{
        side: {
            "name": side, "path": "a.tif", "path_from_here": "a.tif", "width_px": 9, "height_px": 9,
            "pixel_size_um": [0.5, 0.5],
            "unit": "um", "channels": ["a"], "is_rgb": False, "bounds_offset_px": [0, 0], "fingerprint": "x",
        }
        for side in ("fixed", "moving")
    },
    "method": "auto", "parameters": {}, "verdict": "accepted", "confidence": 0.9, "reasons": ["good"],
    "fixed_to_moving": {"kind": "affine", "matrix": [[1, 0, 5], [0, 1, 6], [0, 0, 1]]},
    "matrix_px": {
        "fixed_to_moving": [[1, 0, 6], [0, 1, 5], [0, 0, 1]],
        "moving_to_fixed": [[1, 0, -6], [0, 1, -5], [0, 0, 1]],
        "is_exact": True,
    },
    "suggestion": None, "steps": [], "seconds": 1.0, "software": {},
    "files": {},
}  # fmt: skip
ITK = (
    "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_2_2\n"
    "Parameters: 1 0 0 1 5 6\nFixedParameters: 0 0\n"
)
BSPLINE = (
    '(Transform "BSplineTransform")\n(GridSize 4 4)\n(GridOrigin 0 0)\n(GridSpacing 9 9)\n'
    f"(TransformParameters {' '.join(['0.5'] * 32)})\n"
)
BIGWARP = {
    "landmarks": {"fixedPoints": [[1, 2], [3, 4]], "movingPoints": [[1, 2], [3, 5]], "names": ["a", "b"]}
}
NGFF = {"type": "sequence", "transformations": [{"type": "scale", "scale": [2, 2]}, {"type": "identity"}]}
WARPY = {
    "type": "InvertibleRealTransformSequence", "size": 1,
    "realTransform_0": {"affinetransform3d": [1, 0, 0, 5, 0, 1, 0, 6, 0, 0, 1, 0]},
}  # fmt: skip
POINTS = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}],
}


def landmarks(dialect):
    sides = {} if dialect in ("histreg", "bigwarp", "bigwarp_json", "xenium") else {"sides": True}
    return lambda path: read_landmarks(path, dialect=dialect, moving_path=path if sides else None)


def transform(dialect):
    return lambda path: read_transform(path, dialect, fixed=FRAME, moving=FRAME)


CASES = {
    "histreg": (PAIR, landmarks("histreg")),
    "bigwarp": ('"a","true","1","2","3","4"\n"b","false","1","2","Infinity","4"\n', landmarks("bigwarp")),
    "bigwarp_json": (json.dumps(BIGWARP), landmarks("bigwarp_json")),
    "xenium points": ("fixedX,fixedY,alignmentX,alignmentY\n1,2,3,4\n", landmarks("xenium")),
    "anhir": (",X,Y\n1,5,6\n2,7,9\n", landmarks("anhir")),
    "elastix points": ("point\n2\n1 2\n3 4\n", landmarks("elastix")),
    "qupath points": (json.dumps(POINTS), landmarks("qupath")),
    "napari": ("index,axis-0,axis-1\n0,1,2\n", landmarks("napari")),
    "csv": ("1,0,5\n0,1,6\n0,0,1\n", transform("csv")),
    "qupath": ("1\t0\t5\n0\t1\t6\n", transform("qupath")),
    "itk": (ITK, transform("itk")),
    "elastix": (BSPLINE, transform("elastix")),
    "ngff": (json.dumps(NGFF), transform("ngff")),
    "warpy": (json.dumps(WARPY), transform("warpy")),
    "registration": (json.dumps(RECORD), read_registration),
}
WORDS = [
    "nan",
    "-1",
    "1e400",
    "9" * 50,
    '"',
    "[",
    "]",
    "{",
    "}",
    "null",
    "true",
    ",",
    "\n",
    "\0",
    "é",
    "0",
    " ",
]


@pytest.mark.parametrize("case", CASES)
def test_the_text_itself_is_read(tmp_path, case):
    text, read = CASES[case]
    path = tmp_path / "file.txt"
    path.write_text(text)
    assert read(path) is not None


@pytest.mark.parametrize("case", CASES)
@pytest.mark.timeout(3600)
def test_changed_text_is_a_value_or_one_error(tmp_path, case):
    text, read = CASES[case]
    path = tmp_path / "file.txt"

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def once(data):
        changed = text
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(changed)))
            stop = at + data.draw(st.integers(0, 8))
            word = data.draw(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)))
            changed = changed[:at] + word + changed[stop:]
        path.write_bytes(changed.encode("utf-8", "surrogatepass"))
        try:
            read(path)
        except (HistregError, ValueError):
            return

    once()
