"""Bending: a displacement field from coarse to fine, by tiles that are read where they are needed."""
