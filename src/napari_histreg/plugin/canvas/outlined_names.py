"""Names on the canvas with an outline, so that they are read on any stain."""

from typing import Any

__all__ = ["outline_names"]

_PLAIN = "gl_FragColor = vec4(v_color.rgb, v_color.a * alpha);"
_OUTLINED = """
        float around = smoothstep(0.18 - width, 0.30 + width, distance);
        if (around <= 0.) discard;
        gl_FragColor = vec4(mix(vec3(1., 1., 1.), v_color.rgb, alpha), v_color.a * max(alpha, around));
"""
_EMPTY = "if (alpha <= 0) discard;"


def outline_names(canvas: Any, layer: Any) -> bool:
    """Draw the names of a Points layer with a white outline.

    napari has no outline for text; vispy draws letters from the distance to their edges, which holds one.

    Parameters
    ----------
    canvas : VispyCanvas
        That shows the layer.
    layer : Points

    Returns
    -------
    bool
        False where this vispy draws letters otherwise: then they have none.
    """
    from vispy.visuals import TextVisual

    visual = canvas.layer_to_visual.get(layer)
    plain = TextVisual._shaders["fragment"]
    if visual is None or _PLAIN not in plain or _EMPTY not in plain:
        return False
    visual.node.text.shared_program.frag = plain.replace(_EMPTY, "").replace(_PLAIN, _OUTLINED)
    return True
