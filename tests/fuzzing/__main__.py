"""`make fuzz`, or `python -m tests.fuzzing [DIALECT...] [--seconds N]`: decoders under Atheris, looking for new ways.

Each dialect gets so many seconds, from its recorded messages on. Exit 1 where an answer breaks a promise (see
mutants.py): the message that did it is printed, and kept in the folder. Atheris is no part of the project's
environment; `make fuzz` puts it into one of its own.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from ingest.dialects import DIALECTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("dialects", nargs="*", metavar="DIALECT", help="only these")
    parser.add_argument("--seconds", type=int, default=60, help="for each dialect (default: 60)")
    parser.add_argument("--folder", type=Path, help="where inputs are kept from one run to the next")
    options = parser.parse_args()
    if unknown := set(options.dialects) - DIALECTS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(DIALECTS))}")
    folder = options.folder or Path(tempfile.mkdtemp(prefix="shouwang-fuzz-"))
    console = Console(highlight=False)
    broken = []
    for dialect in options.dialects or sorted(DIALECTS):
        console.print(f"{dialect}: {options.seconds} s", markup=False)
        # A process each: libFuzzer ends the one that it runs in.
        command = [sys.executable, "-m", "tests.fuzzing.one", dialect, str(folder), str(options.seconds)]
        if subprocess.run(command, check=False).returncode:
            broken.append(dialect)
    console.print(f"the inputs are in {folder}", markup=False)
    console.print(f"broken: {', '.join(broken)}" if broken else "every answer kept what it promises", markup=False)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
