"""Who may ask, and how: the HTTP service and the files it hands out."""
