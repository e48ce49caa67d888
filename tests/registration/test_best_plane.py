import numpy as np
import pytest

from napari_histreg.errors import RegistrationError
from napari_histreg.registration.best_plane import best_plane
from napari_histreg.slides import open_slide
from napari_histreg.slides.address import PlaneChoice
from napari_histreg.slides.volume_planes import plane_slide
from napari_histreg.volumes.pose import VolumePose
from volumes.bodies import as_ct, as_mr, head, moved


def test_the_plane_of_the_other_modality_is_found_wherever_it_lies():
    kinds, place = head(shape=(9, 40, 36), spacing=(16.0, 5.0, 5.0))
    mr, ct = as_mr(kinds, place), as_ct(kinds, place)
    turned = moved(ct, VolumePose.of(angles_deg=(0, 0, 0), shift_mm=(0, 9, -6)))
    planes = [plane_slide(turned, PlaneChoice("axial", k)) for k in (2, 4, 6)]
    said = []
    found = best_plane(
        plane_slide(mr, PlaneChoice("axial", 4)), planes, progress=lambda share, text: said.append(share)
    )
    assert found.place == 1
    assert next(iter(found.scores)) == 1
    assert found.scores[1] > 1.1 * sorted(found.scores.values())[-2]
    assert said == sorted(said)


def test_planes_that_show_nothing_are_passed_over():
    empty = open_slide(np.zeros((40, 40), np.uint8), name="air")
    body = open_slide(np.pad(np.add.outer(np.arange(30.0), np.arange(30.0)).astype(np.float32), 8))
    with pytest.raises(RegistrationError, match="No plane"):
        best_plane(body, [empty])
