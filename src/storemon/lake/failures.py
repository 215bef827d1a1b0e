"""What the libraries tell of a failure, in one line, with what to try where that is known."""

import re

_NOISE = re.compile(r"\x1b\[\d*m|↳|^ +(\d+:|at) .*$|<Error>.*<Message>|</Message>.*</Error>|<\?xml.*?>", re.MULTILINE)
_ADVICE = {
    "NoSuchBucket": "there is no such bucket; create it, or correct --lake",
    "/latest/(api/token|meta-data)|loading credentials": (
        "there are no credentials for object storage; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|ExpiredToken|InvalidToken": (
        "object storage refuses these credentials; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN"
    ),
    "configured region|AuthorizationHeaderMalformed|PermanentRedirect": (
        "the bucket is in another region; set AWS_REGION to that"
    ),
    "error sending request": "object storage cannot be reached; check AWS_ENDPOINT_URL and the network",
}
"""What to try, by a pattern in what object storage or its client says; the first one counts."""


def plain(error: Exception) -> str:
    """Tell it without colours, backtrace and markup; the advice comes first."""
    text = str(error)
    advice = [advice for pattern, advice in _ADVICE.items() if re.search(pattern, text)]
    return ": ".join([*advice[:1], " ".join(_NOISE.sub("", text).split())])
