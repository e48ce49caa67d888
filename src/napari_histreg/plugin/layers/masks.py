"""Parts of layers hidden while they are drawn: curtain and checkerboard, at any zoom, nothing computed.

Each image layer gets a small piece of shader that throws away the pixels on the other side. Only here
the plugin reaches into napari's drawing, which has no public door for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from vispy.visuals.filters.base_filter import Filter
from vispy.visuals.shaders import Function, Varying

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = ["Mask", "Masks"]

VERTEX_CODE = """
void keep_position() {
    $v_position = gl_Position;
}
"""

FRAGMENT_CODE = """
void mask_side() {
    vec4 scene = $itransform($v_position);
    vec2 here = scene.xy / scene.w;
    float side;
    float edge = 1.0e9;
    if ($size > 0.0) {
        vec2 cell = floor((here - $origin) / $size);
        side = mod(cell.x + cell.y, 2.0) < 0.5 ? 1.0 : -1.0;
    } else {
        side = dot(here - $origin, $normal);
        edge = abs(side);
    }
    if (edge < $line) {
        gl_FragColor = vec4(1.0, 1.0, 1.0, 1.0);
    } else if (side * $sign < 0.0) {
        discard;
    }
}
"""


@dataclass(frozen=True)
class Mask:
    """Which part of the canvas each slide is seen on.

    Parameters
    ----------
    kind : {"curtain", "checkerboard"}
        Two halves, or squares in turn.
    origin : (float, float)
        A point of the edge, or a corner of a square (y, x), in canvas units.
    size : float
        Side of the squares in canvas units.
    horizontal : bool
        Whether the edge of the curtain runs from left to right.
    line : float
        Half the width of the edge that is drawn, in canvas units.
    """

    kind: Literal["curtain", "checkerboard"]
    origin: tuple[float, float]
    size: float = 0.0
    horizontal: bool = False
    line: float = 0.0


class Masks:
    """The masks on a viewer's layers.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._filters: dict[Any, _SideFilter] = {}

    def show(self, mask: Mask, first: Iterable["Layer"], second: Iterable["Layer"]) -> None:
        """Show some layers on the one side (left, top, even squares) and others on the other."""
        wanted = {}
        for layers, sign in ((first, 1.0), (second, -1.0)):
            for layer in layers:
                node = self._node(layer)
                if node is not None:
                    wanted[node] = sign
        for node in set(self._filters) - set(wanted):
            node.detach(self._filters.pop(node))
        for node, sign in wanted.items():
            if node not in self._filters:
                self._filters[node] = _SideFilter()
                node.attach(self._filters[node])
            self._filters[node].set(mask, sign)
            node.update()

    def clear(self) -> None:
        """Show all layers whole again."""
        for node, side in self._filters.items():
            node.detach(side)
            node.update()
        self._filters.clear()

    def _node(self, layer: "Layer") -> Any:
        canvas = self._viewer.window._qt_viewer.canvas
        visual = canvas.layer_to_visual.get(layer)
        return None if visual is None else visual.node


class _SideFilter(Filter):  # type: ignore[misc]  # vispy has no types
    """Throws away what lies on the other side of a mask."""

    def __init__(self) -> None:
        super().__init__(
            vcode=Function(VERTEX_CODE),
            vhook="post",
            vpos=1,
            fcode=Function(FRAGMENT_CODE),
            fhook="post",
            fpos=9,
        )
        position = Varying("v_position", "vec4")
        self.vshader["v_position"] = position
        self.fshader["v_position"] = position

    def _attach(self, visual: Any) -> None:
        super()._attach(visual)
        self.fshader["itransform"] = visual.get_transform("render", "scene")

    def set(self, mask: Mask, sign: float) -> None:
        """Take over a mask; `sign` says on which side this layer is seen."""
        y, x = mask.origin
        self.fshader["origin"] = (x, y)
        self.fshader["size"] = float(mask.size) if mask.kind == "checkerboard" else 0.0
        # Left and top are where the coordinate is smaller.
        self.fshader["normal"] = (0.0, -1.0) if mask.horizontal else (-1.0, 0.0)
        self.fshader["line"] = float(mask.line) if mask.kind == "curtain" else 0.0
        self.fshader["sign"] = float(sign)
