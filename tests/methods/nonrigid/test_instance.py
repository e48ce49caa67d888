"""Instance optimisation beyond what all bending methods promise: see test_dense."""

import numpy as np

from bent import BASE, SIDE, bend, bent_pair
from napari_histreg.methods.nonrigid.instance import InstanceOptimisation


def test_both_directions_together_are_each_others_inverse():
    case = bent_pair(5.0)
    few = {"iterations": 30, "levels": 2, "max_side_px": 160}
    alone, together = (
        InstanceOptimisation(inverse_consistency=weight, **few).estimate(
            case.fixed, case.moving, initial=BASE
        )
        for weight in (0.0, 1.0)
    )
    grid = np.stack(np.meshgrid(*[np.linspace(40, SIDE - 40, 13)] * 2, indexing="ij"), -1).reshape(-1, 2)
    error = np.median(np.linalg.norm(together.fixed_to_moving(grid) - bend(5.0)(grid), axis=1)) / 0.9
    assert error < 2.0
    assert together.fixed_to_moving(grid).tolist() != alone.fixed_to_moving(grid).tolist()


def test_a_stiffer_grid_bends_less():
    case = bent_pair(5.0)
    few = {"iterations": 20, "levels": 1, "max_side_px": 96, "reach_px": 0}
    soft, stiff = (
        InstanceOptimisation(stiffness=value, **few)
        .estimate(case.fixed, case.moving, initial=BASE)
        .figures["largest_displacement"]
        for value in (0.0, 10.0)
    )
    assert stiff < soft
