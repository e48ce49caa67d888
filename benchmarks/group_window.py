"""Many slides in one window: how long it does not answer while they are laid, looked at and opened in pairs.

    bash tools/display.sh python benchmarks/group_window.py [--slides 10] [--size 1024]

A stack of phantom sections, and the result of a run as the truth has it. Of each step the longest gap between
two beats is said; the last line is what napari alone takes to put a picture in memory into the window, which
is in each first opening and in the first overlay.
"""

import argparse
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from beats import Beats, work

from napari_histreg.groups import GroupRegistration
from napari_histreg.groups.assembly import assemble
from napari_histreg.groups.group import Link
from napari_histreg.landmarks import Landmarks
from napari_histreg.records.record import Outcome, SlideRecord
from napari_histreg.samples.stack import PhantomStack, phantom_stack


def found(stack: PhantomStack, size_um: float) -> GroupRegistration:
    """Return what a run finds if it finds the truth."""
    line = np.linspace(0.2, 0.8, 5) * size_um
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    links = []
    for i, j in itertools.combinations(range(len(stack.slides)), 2):
        if j - i <= 2:
            there = stack.between(i, j)
            pairs = Landmarks.of(points, there(points), confidence=np.full(len(points), 0.5))
            links.append(Link(i, j, Outcome(there, "accepted", 0.98, ("made",), pairs)))
    made = assemble([SlideRecord.of(slide) for slide in stack.slides], links)
    what = ("template", made.template, True, "affine")
    return GroupRegistration(made.members, made.links, made.loops, *what, noise=(1.0, 0.0))


def measured(what: str, beats: Beats, act: Callable[[], Any], busy: Callable[[], bool]) -> None:
    """Do something, and say how long the window did not answer until it was done."""
    beats.begin()
    act()
    while busy():
        work(0.02)
    work(0.3)
    print(f"{what:<24} {beats}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slides", type=int, default=10)
    parser.add_argument("--size", type=int, default=1024)
    arguments = parser.parse_args()

    import napari

    from napari_histreg.plugin.layers.slides import add_slide
    from napari_histreg.plugin.widgets.align_widget import AlignWidget

    stack = phantom_stack(arguments.slides, size_px=arguments.size)
    viewer = napari.Viewer()
    viewer.window.resize(1200, 900)
    widget = AlignWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Align slides")
    work(1.0)
    beats = Beats()
    for number, slide in enumerate(stack.slides):
        if number in (0, 1, len(stack.slides) - 1):
            measured(f"slide {number + 1} opened", beats, lambda s=slide: add_slide(viewer, s), lambda: False)
        else:
            add_slide(viewer, slide)
    group = widget.group
    widget.tabs.setCurrentWidget(group)
    work(0.5)
    group.model.restore(found(stack, arguments.size * 8.0), group.model.included)
    slider = group.sections.slider

    def busy() -> bool:
        task = group.sections.task
        return group.steps.is_running or (task is not None and task.is_running)

    measured("laid, first time", beats, group.lay, busy)
    measured("a link opened", beats, lambda: group.open_link(3), busy)
    measured("laid again", beats, group.lay, busy)
    widget.tabs.setCurrentWidget(group)
    work(0.5)
    measured("first overlay", beats, lambda: slider.setValue(slider.maximum()), busy)
    measured("next overlay", beats, lambda: slider.setValue(slider.maximum() - 1), busy)
    measured("one section alone", beats, group.sections.overlay.click, busy)
    measured("laid once more", beats, group.lay, busy)
    plain = np.zeros((arguments.size, arguments.size, 3), np.uint8)
    measured("napari alone, a picture", beats, lambda: viewer.add_image(plain), lambda: False)
    group.end()
    viewer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
