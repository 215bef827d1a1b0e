"""Rows as a workbook for people: a sheet of the figures, and one that says what they mean."""
