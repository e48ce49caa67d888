"""One file per layout of landmarks: text to and from a table of pairs, in that layout's own numbers."""
