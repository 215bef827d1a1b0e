"""Where the facts are kept, in Delta Lake tables. It must not know how they came in, nor what they mean."""
