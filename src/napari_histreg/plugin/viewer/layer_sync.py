"""Layers and session of a viewer in step: layers follow the session, which hears of its layers."""

import weakref
from dataclasses import replace
from typing import Any

import numpy as np

from napari_histreg.errors import HistregError
from napari_histreg.plugin.layers.affine import (
    apply_fixed_to_moving,
    is_same_place,
    read_fixed_to_moving,
    use_common_units,
)
from napari_histreg.plugin.layers.bend import show_bent, show_flat
from napari_histreg.plugin.layers.slides import (
    RECORD,
    SLIDE,
    VIEW,
    image_layers,
    layers_of,
    link_channels,
    rename_layers,
    show_pixels,
    slide_from_layer,
    slides_in,
)
from napari_histreg.plugin.models import ChosenSlide, Session
from napari_histreg.plugin.models.chosen_slide import slide_key
from napari_histreg.plugin.models.pixel_sizes import rescaled, resized
from napari_histreg.plugin.models.reopened import reopened_state
from napari_histreg.plugin.models.session_signals import Announcement
from napari_histreg.plugin.viewer.session_registry import session_of
from napari_histreg.slides import Slide
from napari_histreg.transforms import Affine, Transform

__all__ = ["LayerSync", "layer_sync_of"]

_layer_syncs: dict[int, "LayerSync"] = {}


def layer_sync_of(viewer: Any) -> "LayerSync":
    """Return the layer sync of a viewer, making it the first time; all widgets of the viewer share it."""
    real = getattr(viewer, "__wrapped__", viewer)
    key = id(real)
    if key not in _layer_syncs:
        _layer_syncs[key] = LayerSync(real, session_of(real))
        weakref.finalize(real, _layer_syncs.pop, key, None)
    return _layer_syncs[key]


class LayerSync:
    """Keeps a viewer's layers where its session says, and offers the session the slides that are open.

    Parameters
    ----------
    viewer : napari.Viewer
    session : Session

    Attributes
    ----------
    slides_changed : Announcement
        Other slides are open than before.
    noticed : Announcement of str
        A sentence for the user.
    bending_changed : Announcement
        The layers of the moving slide show other pixels: bent, bent otherwise, or as they are.
    bends_shown : bool
        Whether a transform that bends is shown so; its affine part otherwise.
    initial : Transform
        Where the moving slide lay when it was chosen, fixed to moving in world units.
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer = weakref.ref(viewer)
        self.session = session
        self.slides_changed = Announcement()
        self.noticed = Announcement(str)
        self.bending_changed = Announcement()
        self.bends_shown = True
        self.notice = ""
        self.initial: Transform = Affine.identity()
        self._open: list[Slide] = []
        self._guessed = True
        viewer.layers.events.inserted.connect(self._on_layers_changed)
        viewer.layers.events.removed.connect(self._on_layers_changed)
        session.events.transform_changed.connect(self._on_transform_changed)
        self._on_layers_changed()

    @property
    def layers(self) -> list[Any]:
        """All layers of the viewer."""
        viewer = self._viewer()
        return [] if viewer is None else list(viewer.layers)

    @property
    def slides(self) -> list[Slide]:
        """The slides that are open, in the order of their layers."""
        return list(self._open)

    @property
    def fixed(self) -> Slide | None:
        """The fixed slide, where one is chosen."""
        return None if self.session.fixed is None else self.session.fixed.slide

    @property
    def moving(self) -> Slide | None:
        """The moving slide, where one is chosen."""
        return None if self.session.moving is None else self.session.moving.slide

    def choose(self, fixed: Slide | None, moving: Slide | None) -> None:
        """Choose the slides; the moving one stays where it lies."""
        if fixed is self.fixed and moving is self.moving:
            return
        initial = None
        self._guessed = False
        self.notice = ""
        if self.moving is not None and show_flat(self.layers, self.moving):
            self.bending_changed.emit()
        if fixed is not None and moving is not None and fixed is not moving:
            self.notice = use_common_units(self.layers, fixed, moving) or ""
            initial = self.initial = read_fixed_to_moving(self.layers, fixed, moving)
        self.session.choose(self._chosen(fixed), self._chosen(moving), initial=initial)
        self._take_record()
        self.noticed.emit(self.notice)

    def swap(self) -> None:
        """Exchange fixed and moving."""
        self.choose(self.moving, self.fixed)

    def set_pixel_sizes(self, fixed_um: float | None, moving_um: float | None) -> bool:
        """Take other sizes for the pixels of both slides; the pairs stay on their pixels.

        Parameters
        ----------
        fixed_um, moving_um : float or None
            Side of a level-0 pixel in µm; None where it is unknown.

        Returns
        -------
        bool
            Whether anything has changed.
        """
        if self.fixed is None or self.moving is None:
            return False
        old = self.fixed, self.moving
        new = resized(old[0], fixed_um), resized(old[1], moving_um)
        if all(one is other for one, other in zip(old, new, strict=True)):
            return False
        pairs = self.session.state
        self.choose(None, None)
        for before, after in zip(old, new, strict=True):
            for layer in layers_of(self.layers, before):
                layer.metadata[SLIDE] = after
                layer.affine = np.eye(3)
        self._open = [next((n for o, n in zip(old, new, strict=True) if o is s), s) for s in self._open]
        self.slides_changed.emit()
        self.choose(*new)
        if len(pairs.landmarks):
            self.session.restore(rescaled(self.session.state, pairs, *old, *new), "other pixel sizes")
        return True

    def show_instead(self, before: Slide, after: Slide) -> None:
        """Let the layers of a slide show another one, in the same place: another plane of a volume.

        What was done with either stays with it, and comes back with it.

        Parameters
        ----------
        before, after : Slide
            With the same channels.
        """
        fixed, moving = self.fixed, self.moving
        chosen = [after if slide is before else slide for slide in (fixed, moving)]
        if before in (fixed, moving):
            self.choose(None, None)
        layers = layers_of(self.layers, before)
        show_pixels(layers, after)
        self._open = [after if slide is before else slide for slide in self._open]
        rename_layers(layers, before, after)
        self.slides_changed.emit()
        if before in (fixed, moving):
            self.choose(*chosen)

    def show_bends(self, wanted: bool) -> None:
        """Show a transform that bends as it is, or only its affine part."""
        if wanted != self.bends_shown:
            self.bends_shown = wanted
            self._on_transform_changed(self.session.fixed_to_moving)

    def shown_fixed_to_moving(self) -> Affine:
        """Return the transform that the layers show, also where they were moved by hand.

        Raises
        ------
        ValueError
            The two slides are not chosen.
        """
        if self.fixed is None or self.moving is None:
            raise ValueError("Choose a fixed and a moving slide first.")
        return read_fixed_to_moving(self.layers, self.fixed, self.moving)

    def fixed_layers(self) -> list[Any]:
        """Return the image layers of the fixed slide."""
        return [] if self.fixed is None else image_layers(self.layers, self.fixed)

    def moving_layers(self) -> list[Any]:
        """Return the image layers of the moving slide."""
        return [] if self.moving is None else image_layers(self.layers, self.moving)

    def _chosen(self, slide: Slide | None) -> ChosenSlide | None:
        if slide is None:
            return None
        names = tuple(layer.name for layer in layers_of(self.layers, slide))
        return ChosenSlide(slide_key(slide), slide, names)

    def _take_record(self) -> None:
        """Take over the registration that the layers were opened from, if there is one for these slides."""
        for layer in self.moving_layers():
            record, folder = layer.metadata.pop(RECORD, (None, None))
            if record is not None and self.session.is_of_chosen(record):
                self.session.restore(reopened_state(record, folder, self.session.state), "open registration")
                self.initial = Affine.identity()

    def settle(self) -> None:
        """Take over at once how the layers lie, where they were moved with napari's own tools."""
        if not self.session.is_ready or not self.fixed_layers() or not self.moving_layers():
            return
        shown = self.shown_fixed_to_moving()
        if is_same_place(shown, self.session.fixed_to_moving, self.fixed):
            return
        state = replace(
            self.session.state,
            placement=shown,
            placement_origin="dragged",
            registration=None,
            follow=False,
            handover="settled",
        )
        self.session.restore(state, "move the layer")

    def _on_layers_changed(self, event: Any = None) -> None:
        del event
        self._adopt()
        for layer in self.layers:
            layer.events.name.connect(self._on_renamed)
        link_channels(self.layers)
        present = [slide for slide in slides_in(self.layers) if self._is_complete(slide)]
        if [id(slide) for slide in present] == [id(slide) for slide in self._open]:
            return
        self._open = present
        kept = [
            slide if slide is not None and any(slide is other for other in present) else None
            for slide in (self.fixed, self.moving)
        ]
        if self._guessed and self.session.undo_label is None:
            # Nobody has chosen yet: the brightfield slide stays, in whichever order the slides came.
            kept = [None, None]
            present = sorted(present, key=lambda slide: not slide.is_rgb)
        free = [slide for slide in present if not any(slide is other for other in kept)]
        fixed = kept[0] or (free.pop(0) if free else None)
        moving = kept[1] or (free.pop(0) if free else None)
        self.slides_changed.emit()
        guessed = self._guessed
        self.choose(fixed, moving)
        self._guessed = guessed

    def _on_renamed(self, _event: Any = None) -> None:
        self.slides_changed.emit()

    def _is_complete(self, slide: Slide) -> bool:
        """Whether all channels of a slide have been added; one that was once complete stays so."""
        if any(slide is other for other in self._open):
            return True
        return len(image_layers(self.layers, slide)) >= (1 if slide.is_rgb else len(slide.channels))

    def _adopt(self) -> None:
        """Take image layers that others opened for slides too."""
        from napari.layers import Image

        for layer in self.layers:
            if isinstance(layer, Image) and layer.ndim == 2 and VIEW not in layer.metadata:
                try:
                    slide_from_layer(layer)
                except (HistregError, ValueError, TypeError):
                    continue

    def _on_transform_changed(self, transform: Transform) -> None:
        if self.fixed is None or self.moving is None or not self.session.is_ready:
            return
        # While the mouse drags it, only the matrix can keep up.
        if self.bends_shown and self.session.bends and not self.session.is_dragged:
            changed = show_bent(self.layers, self.fixed, self.moving, transform)
        else:
            changed = show_flat(self.layers, self.moving)
        apply_fixed_to_moving(self.layers, self.fixed, self.moving, transform)
        if changed:
            self.bending_changed.emit()
