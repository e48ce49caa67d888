"""Is it good? Numbers and pictures that did not take part in the alignment."""
