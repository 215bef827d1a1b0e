"""Files as people have them: which there are in a folder, how they are packed, and what rows are in them."""
