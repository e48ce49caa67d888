"""The command line: ``histreg VERB``, one file per verb."""

from napari_histreg.cli.app import main

__all__ = ["main"]
