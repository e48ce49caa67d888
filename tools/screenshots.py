"""Make the pictures of README and docs from a real window: docs/images/*.png.

Without arguments all are made, else those of the rooms named: window, laptop, pages.

Run by ``make screenshots`` on a virtual screen. Every picture shows the demo pair as a person would see it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
from qtpy.QtWidgets import QApplication
from shrink import shrink

from napari_histreg.landmarks import Landmarks
from napari_histreg.plugin.contributions.demo import open_demo
from napari_histreg.plugin.viewer.layer_sync import layer_sync_of
from napari_histreg.plugin.widgets.align_widget import AlignWidget
from napari_histreg.samples import demo_pair

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE = (1440, 900)
PLACES = ((60, 60), (60, 190), (128, 120), (200, 70), (205, 200), (130, 215))
"""Where pairs are clicked on the fixed slide, (y, x) in µm."""
SLIPS = ((0.4, -0.3), (-0.5, 0.2), (0.3, 0.4), (-0.2, -0.5), (0.5, 0.3), (6.0, -5.0))
"""How far the clicks are off on the moving slide in µm; the last one is a mistake to be seen."""


def settle(seconds: float = 0.5) -> None:
    """Let the window draw."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


class Studio:
    """A window with the demo pair, and a camera."""

    def __init__(self, folder: Path, *, theme: str = "dark", size: tuple[int, int] = SIZE) -> None:
        self.truth = demo_pair(folder).fixed_to_moving
        self.viewer = open_demo(folder, run=False)
        self.viewer.window.show()
        self.viewer.theme = theme
        self.viewer.window.resize(*size)
        docks = self.viewer.window._wrapped_dock_widgets.values()
        self.widget = next(d.inner_widget() for d in docks if isinstance(d.inner_widget(), AlignWidget))
        self.session = layer_sync_of(self.viewer).session
        settle(1.0)

    def shoot(self, name: str) -> None:
        """Take a picture of the whole window."""
        settle(0.6)
        self.viewer.screenshot(str(IMAGES / f"{name}.png"), canvas_only=False, flash=False)
        shrink(IMAGES / f"{name}.png")
        print(IMAGES / f"{name}.png")  # this is a command

    def view(self, zoom: float = 2.3) -> None:
        """Look at the middle of the fixed slide."""
        self.viewer.scene.camera.center = (0, 128, 128)
        self.viewer.scene.camera.zoom = zoom

    def before(self) -> None:
        """The two slides as they were opened."""
        self.widget.tabs.setCurrentWidget(self.widget.automatic)
        self.viewer.reset_view()
        self.shoot("before")

    def automatic(self) -> None:
        """A run and its verdict."""
        panel = self.widget.automatic
        panel.run()
        while panel.model.state != "idle":
            settle(0.05)
        self.view()
        self.shoot("automatic")

    def inspect(self) -> None:
        """Each way of comparing."""
        panel = self.widget.inspection
        self.widget.tabs.setCurrentWidget(panel)
        panel.measure()
        while panel.task is not None and panel.task.is_running:
            settle(0.05)
        for mode, name in (("overlay", "overlay"), ("curtain", "curtain"), ("checkerboard", "squares")):
            panel.mode_buttons[mode].click()
            self.view()
            self.shoot(name)
        panel.mode_buttons["layers"].click()

    def landmarks(self) -> None:
        """Pairs with their errors, the mistake among them marked."""
        panel = self.widget.landmarks
        self.widget.tabs.setCurrentWidget(panel)
        moving = self.truth(PLACES) + SLIPS
        self.session.replace_landmarks(Landmarks.of(PLACES, moving), "six pairs")
        panel.worst_box.setChecked(True)
        self.view()
        self.shoot("landmarks")

    def arrows(self) -> None:
        """The residuals as arrows over the overlay."""
        panel = self.widget.inspection
        self.widget.tabs.setCurrentWidget(panel)
        panel.mode_buttons["overlay"].click()
        panel.arrows.setChecked(True)
        self.view()
        self.shoot("arrows")
        panel.arrows.setChecked(False)
        panel.mode_buttons["layers"].click()

    def beside(self) -> None:
        """The fixed slide on a canvas of its own."""
        panel = self.widget.landmarks
        self.widget.tabs.setCurrentWidget(panel)
        panel.beside_button.click()
        settle(1.0)
        self.shoot("side_by_side")
        panel.beside_button.click()

    def export(self) -> None:
        """What can be written."""
        self.widget.tabs.setCurrentWidget(self.widget.export)
        self.view()
        self.shoot("export")

    def review(self) -> None:
        """What a run shows by itself: the overlay at the worst block."""
        panel = self.widget.automatic
        panel.method.setCurrentIndex(panel.method.findData("auto"))
        panel._choose_method()
        panel.run()
        while panel.model.state != "idle":
            settle(0.05)
        self.shoot("worst_block")
        panel.accept()

    def refused(self) -> None:
        """A method that cannot align the pair, and what can be done about it."""
        panel = self.widget.automatic
        self.widget.tabs.setCurrentWidget(panel)
        panel.method.setCurrentIndex(panel.method.findData("correlation"))
        panel._choose_method()
        panel.run()
        while panel.model.state != "idle":
            settle(0.05)
        self.viewer.reset_view()
        self.shoot("refused")

    def bent(self) -> None:
        """The moving slide bent, in the curtain."""
        moving = self.truth(PLACES) + [(7.0 * (k == 2), 0.0) for k in range(len(PLACES))]
        self.session.replace_landmarks(Landmarks.of(PLACES, moving), "six pairs")
        self.session.set_model("thin_plate")
        self.widget.tabs.setCurrentWidget(self.widget.inspection)
        self.widget.inspection.mode_buttons["curtain"].click()
        self.view(2.0)
        self.shoot("bent")
        self.widget.inspection.mode_buttons["layers"].click()

    def focus(self) -> None:
        """Two canvases of one width."""
        self.widget.tabs.setCurrentWidget(self.widget.landmarks)
        self.widget.landmarks.focus_button.click()
        settle(1.0)
        self.widget.landmarks.click_button.click()
        self.view(1.6)
        self.shoot("focus")
        self.widget.landmarks.focus_button.click()


def pages(folder: Path) -> None:
    """What the command line leaves: the overlay of the demo, and the report in a browser."""
    subprocess.run([sys.executable, "-m", "napari_histreg", "demo", "-o", folder], check=True)
    shutil.copy(folder / "overlay.png", IMAGES / "demo.png")
    browser = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
    if browser is None:
        print("no Chromium here: report.png stays as it is")
    else:
        look = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=900,1180"]
        shot = f"--screenshot={IMAGES / 'report.png'}"
        profile = f"--user-data-dir={folder / 'profile'}"
        page = (folder / "report.html").as_uri()
        subprocess.run([browser, *look, profile, shot, page], check=True, stderr=subprocess.DEVNULL)
    for name in ("demo", "report"):
        shrink(IMAGES / f"{name}.png")
        print(IMAGES / f"{name}.png")


def main() -> int:
    """Take all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # no offers to go on with earlier work
        wanted = sys.argv[1:] or ["window", "laptop", "pages"]
        rooms = {
            "window": ("before", "automatic", "inspect", "landmarks", "arrows", "export", "beside"),
            "laptop": ("refused", "review", "bent", "focus"),
        }
        looks: dict[str, dict[str, Any]] = {"window": {}, "laptop": {"theme": "light", "size": (1366, 768)}}
        for room in rooms:
            if room in wanted:
                studio = Studio(Path(folder), **looks[room])
                for scene in rooms[room]:
                    getattr(studio, scene)()
                studio.viewer.close()
        if "pages" in wanted:
            pages(Path(folder) / "pages")
    napari.Viewer.close_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
