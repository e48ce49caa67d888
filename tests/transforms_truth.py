"""One transform of each model, as the truth of tests."""

from napari_histreg.transforms import Affine, MatrixTransform, Projective, Rigid, Similarity, Translation

TRUTH: dict[str, MatrixTransform] = {
    "translation": Translation.of((30, -1200)),
    "rigid": Rigid.of(angle_deg=130, translation=(3000, 50)),
    "similarity": Similarity.of(scale=0.6, angle_deg=-75, translation=(-40, 9000)),
    "affine": Affine([[1.1, 0.2, 300], [-0.4, 0.8, 12000], [0, 0, 1]]),
    "projective": Projective([[1.1, 0.2, 300], [-0.4, 0.8, 12000], [4e-6, -2e-6, 1]]),
}
