"""The environment, with what a file `.env` adds to it."""

import os
from pathlib import Path

from dotenv import dotenv_values

#: Read from the folder the process was started in.
DOTENV = Path(".env")


def environment(dotenv: Path | None = DOTENV) -> dict[str, str]:
    """The variables of the process and those of `.env`; where both have one, that of the process counts."""
    added = {} if dotenv is None or not dotenv.is_file() else dotenv_values(dotenv, encoding="utf-8")
    return {name: value for name, value in added.items() if value is not None} | dict(os.environ)
