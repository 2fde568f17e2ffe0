"""What recorded messages say, without a service: for `shouwang decode`, and for tests of decoders."""

from shouwang.decoding.answers import Answer
from shouwang.decoding.lines import BadLine, Line, read_line
from shouwang.decoding.sitting import Sitting

__all__ = ["Answer", "BadLine", "Line", "Sitting", "read_line"]
