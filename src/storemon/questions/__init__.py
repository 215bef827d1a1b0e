"""Questions as people write them, declared once, and the answers to them: for the command line and for HTTP alike."""
