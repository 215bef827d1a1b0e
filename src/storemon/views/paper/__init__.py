"""A report as a document for people: pages in PDF, drawn by typst."""
