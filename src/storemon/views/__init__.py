"""How answers look: as lines of text, and as pictures."""
