"""What can be chosen of a warped slide, as lists of (text, value)."""

__all__ = ["COMPRESSION", "COVERS", "INTERPOLATIONS"]

COVERS = [("The fixed slide", "fixed"), ("Both slides", "union")]
INTERPOLATIONS = ("linear", "cubic", "nearest")
COMPRESSION = [
    ("As suits the pixels", None),
    ("JPEG", "jpeg"),
    ("Deflate", "deflate"),
    ("Zstandard", "zstd"),
    ("LZW", "lzw"),
    ("None", "none"),
]
