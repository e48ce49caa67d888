"""The command line: ``histreg VERB``, one file per verb."""

__all__ = ["main"]


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    import sys
    import threading

    if threading.current_thread() is threading.main_thread():
        from napari_histreg.cli.signals import stopping_at_once

        stopping_at_once()
    from napari_histreg.cli.app import main as run
    from napari_histreg.cli.signals import STOPPED_SENTENCE, Stopped

    try:
        run()
    except Stopped as stopped:  # in the moment between the end of the work and that of listening
        print(STOPPED_SENTENCE, file=sys.stderr)  # noqa: T201
        sys.exit(stopped.code)
