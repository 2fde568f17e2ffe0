"""JSON Schemas of the three files, for editors: `python -m shouwang.config.schema` writes them anew."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from shouwang.config.reading import FILES
from shouwang.config.scalars import written

FOLDER: Final = Path(__file__).parent.parent / "schemas"


def schemas() -> Iterator[tuple[Path, str]]:
    """Give each schema's file and what should be in it."""
    for kind, model in FILES.items():
        schema: dict[str, Any] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{kind}.yaml",
            **_tidy(model.model_json_schema(by_alias=True)),
        }
        yield FOLDER / f"{kind}.json", json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _tidy(value: Any) -> Any:
    """Make it fit to be read: no made-up titles, no `null` for what is not given, durations in words."""
    if isinstance(value, list):
        return [_tidy(part) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(part) for key, part in value.items() if key != "title" or not isinstance(part, str)}
    alternatives = [part for part in kept.get("anyOf", []) if part != {"type": "null"}]
    if len(alternatives) == 1:
        kept = {key: part for key, part in kept.items() if key != "anyOf"} | alternatives[0]
    default = kept.get("default")
    if default is None or isinstance(default, dict | list):
        kept.pop("default", None)
    elif isinstance(default, int) and kept.get("type") == "string":
        kept["default"] = written(default)
    return kept


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in schemas():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
