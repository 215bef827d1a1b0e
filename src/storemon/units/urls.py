"""URLs as people write them, for instance of a database, shown without the secrets in them."""

import re

_PASSWORD = re.compile(r"(\w://[^\s:@/?#]*:)\S+@")
_PARAMETER = re.compile(r"([?&]\w*(?:password|passwd|secret|token|key)=)[^&\s]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Put stars in the place of every password in the URLs of a text, up to the last @ where one was not encoded."""
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))
