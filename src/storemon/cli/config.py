"""The command that tells what is in force."""

import sys
from typing import Annotated

from cyclopts import Parameter

from storemon.errors import InputError
from storemon.settings import Settings


def config(
    **flags: Annotated[str, Parameter(help="A setting as another command would be told it: --port 8080, say.")],
) -> None:
    """Print each setting in force, and where it comes from; passwords are masked."""
    named = {flag.replace("-", "_"): value for flag, value in flags.items()}
    known = [setting.name for setting in Settings.described()]
    for name in named:
        if name not in known:
            raise InputError(f"there is no setting {name!r}; the settings are {', '.join(known)}")
    rows = list(Settings.in_force(**named))
    names, texts = (max(len(row[column]) for row in rows) for column in (0, 1))
    sys.stderr.writelines(f"storemon: {stranger}\n" for stranger in Settings.strangers())
    sys.stdout.writelines(f"{name:<{names}}  {text:<{texts}}  {source}\n" for name, text, source in rows)
