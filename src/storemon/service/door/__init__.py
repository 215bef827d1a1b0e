"""The door of the service: who comes in, how often, and how slowly. It must not know what is asked."""
