"""What libyaml says of a broken file, in words that help."""

import re
from typing import Final

import yaml

from shouwang.config.problems import Problem

#: A part of libyaml's own words → ours. `{line}` is the line in which the thing began that cannot be finished.
_SENTENCES: Final = {
    "mapping values are not allowed": "a `: ` cannot stand here; put text that holds one in quotes, "
    "or check how far the line is indented",
    "did not find expected ',' or ']'": "a `,` or `]` is missing here, in the list that was opened in line {line}; "
    "put text that holds brackets or braces in quotes",
    "did not find expected ',' or '}'": "a `,` or `}}` is missing here, in the mapping that was opened in line {line}; "
    "put text that holds brackets or braces in quotes",
    "did not find expected key": "this fits nothing above it; check how far the line is indented",
    "did not find expected '-' indicator": "the list that began in line {line} goes on here without a `- `; "
    "check how far the line is indented",
    "did not find expected node content": "a value is missing here",
    "block sequence entries are not allowed": "a `- ` cannot stand here; put the list on lines of its own",
    "could not find expected ':'": "the line {line} is neither `key: value` nor `- item`",
    "found unknown escape character": "a `\\` begins no escape here; put the text in single quotes",
    "did not find expected hexdecimal": "a `\\` begins no escape here; put the text in single quotes",
}
_NEVER_CLOSED: Final = "found unexpected end of stream"
_CANNOT_START: Final = "found character that cannot start any token"
#: What YAML does not allow in a file.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_TAB: Final = "a tab cannot indent YAML; use spaces"


def syntax_problem(file: str, content: bytes, error: yaml.YAMLError) -> Problem:
    """Say what keeps a file from being YAML, and where."""
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark) is not None:
        return _marked(file, content.decode("utf-8", errors="replace"), error, mark)
    return _unreadable(file, content)


def _unreadable(file: str, content: bytes) -> Problem:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as wrong:
        before, message = content[: wrong.start].decode("utf-8"), _not_utf8(content)
    else:
        control = _CONTROL.search(text)
        before = text[: control.start()] if control else ""
        message = "there is a control character here that cannot be seen; take it away"
    line = before.count("\n") + 1
    return Problem(file=file, line=line, column=len(before) - before.rfind("\n"), message=message)


def _not_utf8(content: bytes) -> str:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return "the file is not UTF-8 from here on; save it as UTF-8"
    return "the file is not UTF-8 from here on, but seems to be GBK (GB18030); save it as UTF-8"


def _marked(file: str, text: str, error: yaml.MarkedYAMLError, mark: yaml.Mark) -> Problem:
    line_number, column = mark.line, mark.column
    began = error.context_mark or mark
    problem = error.problem or ""
    lines = text.split("\n")
    line = lines[line_number] if line_number < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        message, column = _TAB, line.index("\t")
    elif _CANNOT_START in problem:
        character = line[column : column + 1]
        message = _TAB if character == "\t" else f"text that begins with `{character}` must be in quotes"
    elif _NEVER_CLOSED in problem:
        message, line_number, column = "the quote that is opened here is never closed", began.line, began.column
    else:
        ours = next((ours for theirs, ours in _SENTENCES.items() if theirs in problem), "this is not YAML: {problem}")
        message = ours.format(line=began.line + 1, problem=problem)
    return Problem(file=file, line=line_number + 1, column=column + 1, message=message)
