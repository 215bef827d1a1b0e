"""What is held between polls: gathered, stepped through in SQL, measured along the clocks. It knows no door."""
