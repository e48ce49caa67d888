"""One file per kind of slide; each holds one function that turns a path into a `Slide`."""
