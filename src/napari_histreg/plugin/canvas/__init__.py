"""What happens on a canvas: points, marks, the mouse, comparisons."""
