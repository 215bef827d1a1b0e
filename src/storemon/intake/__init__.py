"""How facts come in: files and frames, row by row accepted or rejected. It must not know what the facts come to."""
