"""How answers look: files, tables, pictures."""
