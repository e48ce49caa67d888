"""One reader per family of files; each gives a `RawSeries`."""
