"""Make the animated picture of README and docs: ``python tools/animate.py``.

It shows what the program finds, not the truth that the sample knows. It ends on its last picture after a few
rounds, so that nothing keeps moving beside what is being read.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_histreg import demo_pair, open_slide, register
from napari_histreg.quality.pictures import overlay
from napari_histreg.quality.views import centred, signal_raster
from napari_histreg.raster import Raster
from napari_histreg.transforms import Affine, resample

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LIMIT = 300_000
"""Bytes of a picture in docs/images, animated or not."""
STEPS, STEP_MS, BEFORE_MS, AFTER_MS, ROUNDS = 20, 60, 1500, 3500, 4
SIDE = 350

Picture = NDArray[np.uint8]


def main() -> None:
    """Write docs/images/snap.webp."""
    with TemporaryDirectory() as folder:
        pair = demo_pair(folder)
        with open_slide(pair.fixed) as fixed, open_slide(pair.moving) as moving:
            came = centred(fixed, moving)
            result = register(fixed, moving)
            spacing = max(fixed.size) / SIDE
            still, other = signal_raster(fixed, spacing), signal_raster(moving, spacing)
    frames = [
        laid(still, other, path(came.matrix, result.fixed_to_moving.matrix, still, share))
        for share in (np.arange(STEPS + 1) / STEPS)
    ]
    after = f"{result.verdict}, confidence {result.confidence:.2f}"
    first, last = labelled(frames[0], "as they come"), labelled(frames[-1], after)
    shown = [first, *frames[1:-1], last]
    write(IMAGES / "snap.webp", shown, [BEFORE_MS, *[STEP_MS] * (STEPS - 1), AFTER_MS])


def path(came: NDArray, found: NDArray, still: Raster, share: float) -> Affine:
    """Return fixed to moving on the way from `came` to `found`: the slide is turned over like a card."""
    eased = share**2 * (3 - 2 * share)
    carried = np.linalg.inv(found) @ came  # where what lies in the fixed frame has to go, (y, x, 1) in µm
    linear = carried[:2, :2]
    mirrored = np.linalg.det(linear) < 0
    size = abs(np.linalg.det(linear)) ** 0.5
    upright = linear @ np.diag([1.0, -1.0 if mirrored else 1.0]) / size
    angle = np.arctan2(upright[1, 0], upright[0, 0]) * eased
    edge = np.cos(np.pi * eased) if mirrored else 1.0
    edge = np.copysign(max(abs(edge), 0.03), edge)  # never quite edge on: there is no inverse there
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    now = np.eye(3)
    now[:2, :2] = turned @ np.diag([1.0, edge]) * size**eased
    centre = still.frame.to_world([[(n - 1) / 2 for n in still.shape]])[0]
    goal = carried[:2, :2] @ centre + carried[:2, 2]
    now[:2, 2] = centre + (goal - centre) * eased - now[:2, :2] @ centre
    return Affine(came @ np.linalg.inv(now))


def laid(still: Raster, other: Raster, fixed_to_moving: Affine) -> Picture:
    """Return the overlay, the fixed slide magenta and the moving one green."""
    return np.asarray(overlay(still, resample(other, fixed_to_moving, still)))


def labelled(picture: Picture, text: str) -> Picture:
    """Return a picture with a line of text at its foot."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(15)
    box = draw.textbbox((12, image.height - 30), text, font=font)
    draw.rectangle([box[0] - 6, box[1] - 4, box[2] + 6, box[3] + 4], fill=(20, 20, 24))
    draw.text((12, image.height - 30), text, font=font, fill="white")
    return np.asarray(image)


def write(target: Path, frames: list[Picture], lasting_ms: list[int]) -> None:
    """Write frames as an animated WebP, and refuse one that is too large."""
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(
        target, save_all=True, append_images=rest, duration=lasting_ms, loop=ROUNDS, quality=26, method=6
    )
    if target.stat().st_size > LIMIT:
        raise SystemExit(f"{target} is larger than {LIMIT} bytes.")


if __name__ == "__main__":
    main()
