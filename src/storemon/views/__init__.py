"""How answers look: files, tables, pictures. It computes no figure."""
