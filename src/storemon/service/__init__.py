"""Who may ask over HTTP, and how: thin handlers and durable jobs. It must not know how a figure comes about."""
