"""One file for each question people ask. It must not know how an answer looks, nor who asked."""
