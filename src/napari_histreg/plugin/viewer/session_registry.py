"""The one session of each viewer."""

import weakref
from typing import Any

from napari_histreg.plugin.models import Session

__all__ = ["session_of"]

# napari offers no place to hang something on a viewer, so this remembers by identity; an entry goes when
# its viewer does. (The viewer itself compares by value and would be slow as a key.)
_sessions: dict[int, Session] = {}


def session_of(viewer: Any) -> Session:
    """Return the session of a viewer, making it the first time.

    Parameters
    ----------
    viewer : napari.Viewer
        Or the proxy of it that napari hands to plugins.

    Returns
    -------
    Session
        The same one for all widgets of this viewer.
    """
    real = getattr(viewer, "__wrapped__", viewer)
    key = id(real)
    if key not in _sessions:
        _sessions[key] = Session()
        weakref.finalize(real, _sessions.pop, key, None)
    return _sessions[key]
