"""`shouwang run` as it is, but for what the arguments say: `python -P entry.py [--sabotage X] [--crash-at Y] …`.

--hasten makes leases short and doubts quick to believe, so that what takes a minute takes seconds: for tests of the
harness itself, and never for what is said of the product.
"""

import argparse
import sys
from datetime import timedelta

from shouwang import cli, deliveries
from tests.faults.sabotage import SABOTAGES
from tests.real.crash_at import POINTS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sabotage", choices=SABOTAGES)
    parser.add_argument("--crash-at", choices=POINTS)
    parser.add_argument("--hasten", action="store_true")
    options = parser.parse_args()
    if options.sabotage:
        SABOTAGES[options.sabotage]()
    if options.crash_at:
        POINTS[options.crash_at]()
    if options.hasten:
        deliveries.LEASE_S = 4.0
        deliveries.BELIEVE_ABSENT_AFTER = timedelta(seconds=2)
    sys.argv = ["shouwang", "run"]
    cli.main()


if __name__ == "__main__":
    main()
