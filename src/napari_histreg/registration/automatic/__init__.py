"""The automatic recipe: overview, poses, refinement, verdict."""
