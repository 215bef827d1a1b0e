"""The versioned API, ``/v1``: every handler parses, asks one question, and answers in the form that is wanted."""
