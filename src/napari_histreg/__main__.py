"""``python -m napari_histreg`` is the same as ``histreg``."""

from napari_histreg.cli import main

if __name__ == "__main__":
    main()
