"""A pair of very large slides in napari: what opening, aligning by two pairs and looking costs in memory.

How long the window does not answer while one moves about is said too, in time and in processor time.

    python benchmarks/window.py [--width 60000] [--height 40000] [--folder DIR]

Needs a screen: bash tools/display.sh .venv/bin/python benchmarks/window.py. The phantom pair is written to
two OME-TIFF files first, which takes minutes; with --folder they are kept and used again.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from beats import Beats, work

ZOOMS = (0.02, 0.2, 2.0)
"""Screen pixels per µm at which each way of comparing is drawn: the whole slide, a region, single cells."""


def write_pair(folder: Path, height: int, width: int) -> None:
    """Write a fixed slide of the size asked for and a moving one of all the tissue."""
    from napari_histreg import Grid, phantom_pair, warp_slide, write_slide
    from napari_histreg.transforms import Translation

    # Two pairs tell neither a mirror nor a scale that the pixel sizes do not give.
    pair = phantom_pair(max(height, width), mirrored=False, scale=1.0)
    spare = (np.array(pair.fixed.shape) - (height, width)) // 2
    pixel = np.array(pair.fixed.world_pixel_size)
    cut = Grid((height, width), tuple(pixel), (0.0, 0.0))
    # The cut begins at its own nought, as a file does.
    shift = Translation.of(spare * pixel)
    write_slide(
        warp_slide(pair.fixed, shift, cut, pixel_size_um=pair.fixed.pixel_size_um), folder / "fixed.ome.tif"
    )
    write_slide(pair.moving, folder / "moving.ome.tif", compression="zstd")
    np.save(folder / "truth.npy", shift.then(pair.fixed_to_moving).matrix)


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


class Looker:
    """A window with the pair in it."""

    def __init__(self, folder: Path) -> None:
        import napari

        self.folder, self.viewer = folder, napari.Viewer()
        self.viewer.window.resize(1440, 900)
        work(1.0)
        self.beats = Beats()
        print(f"napari, empty: peak {peak_mb():.0f} MB")

    def open(self) -> None:
        """Open both slides, as if they were dropped on the window."""
        start = time.perf_counter()
        for name in ("fixed", "moving"):
            self.viewer.open(str(self.folder / f"{name}.ome.tif"), plugin="napari-histreg")
        work(1.0)
        print(f"both open after {time.perf_counter() - start - 1:.1f} s: peak {peak_mb():.0f} MB")

    def align(self) -> None:
        """Place two pairs and see how far the map is off in the corners."""
        from napari_histreg.landmarks import Landmarks
        from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
        from napari_histreg.plugin.widgets.align_widget import AlignWidget
        from napari_histreg.transforms import Affine

        self.widget = AlignWidget(self.viewer)
        self.viewer.window.add_dock_widget(self.widget, name="Align slides")
        work(1.0)
        sync = layer_sync_of(self.viewer)
        truth = Affine(np.load(self.folder / "truth.npy"))
        self.size = np.array(sync.fixed.size)
        places = np.array([[0.35, 0.3], [0.65, 0.7]]) * self.size
        sync.session.replace_landmarks(Landmarks.of(places, truth(places)), "two pairs")
        work(1.0)
        corners = np.array([[0.1, 0.1], [0.1, 0.9], [0.9, 0.1], [0.9, 0.9]]) * self.size
        off = np.linalg.norm(sync.session.fixed_to_moving(corners) - truth(corners), axis=1).max()
        print(f"two pairs: {off:.2g} µm off at the worst corner, peak {peak_mb():.0f} MB")

    def compare(self, mode: str, zoom: float) -> None:
        """Look at both slides in one way and at one zoom."""
        panel = self.widget.inspection
        self.widget.tabs.setCurrentWidget(panel)
        self.viewer.scene.camera.center = (0, *(self.size / 2))
        self.viewer.scene.camera.zoom = zoom
        work(2.0)
        self.beats.begin()
        panel.mode_buttons[mode].click()
        work(1.0)
        pressed = str(self.beats)
        moved = self.moved_about(zoom)
        picture = self.viewer.screenshot(canvas_only=True, flash=False)[..., :3]
        name = self.folder / f"{mode}_{zoom:g}.png"
        self.viewer.screenshot(str(name), canvas_only=False, flash=False)
        print(f"{mode} at {zoom:g} px/µm: contrast {picture.std():.0f}, peak {peak_mb():.0f} MB")
        print(f"    pressed: {pressed}\n    moved about: {moved}")
        panel.mode_buttons["layers"].click()

    def moved_about(self, zoom: float) -> str:
        """Move as one who looks does, and say how long the window did not answer."""
        self.beats.begin()
        middle = np.array(self.viewer.scene.camera.center[1:])
        for step in range(1, 6):
            self.viewer.scene.camera.center = (0, *(middle + 20 * step / zoom))
            work(0.2)
        return str(self.beats)

    def alone(self) -> None:
        """Say how long napari itself does not answer with two pictures in memory, which need no reading."""
        rng = np.random.default_rng(0)
        grey = rng.integers(0, 255, (4096, 4096), np.uint8)
        levels = [grey[::step, ::step] for step in (1, 2, 4)]
        layers = [
            self.viewer.add_image([np.stack([level] * 3, -1) for level in levels], rgb=True, multiscale=True),
            self.viewer.add_image(levels, multiscale=True, blending="additive", colormap="green"),
        ]
        self.viewer.scene.camera.center, self.viewer.scene.camera.zoom = (0, 2048, 2048), 1.0
        work(2.0)
        print(f"napari, two pictures in memory: moved about: {self.moved_about(1.0)}")
        for layer in layers:
            self.viewer.layers.remove(layer)


def look(folder: Path) -> None:
    """Open the pair, align it by two pairs and look at it in every way."""
    looker = Looker(folder)
    looker.open()
    looker.align()
    for mode in ("overlay", "curtain", "checkerboard"):
        for zoom in ZOOMS:
            looker.compare(mode, zoom)
    looker.viewer.layers.clear()
    looker.alone()
    looker.viewer.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--width", type=int, default=60_000)
    parser.add_argument("--height", type=int, default=40_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.look:
        look(arguments.look)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "truth.npy").exists():
            write_pair(folder, arguments.height, arguments.width)
            print(f"wrote two slides: peak {peak_mb():.0f} MB", flush=True)
        # In a process of its own, so that its peak is its own too.
        return subprocess.run([sys.executable, __file__, "--look", folder], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
