"""Where the tables of conf/ are found, and how they travel to the workers.

A table travels as JSON text, which is also what annotator versions are made of; a worker parses it once, however many
tasks it runs.
"""

import json
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from codemill.errors import UsageError

Parsed = TypeVar("Parsed")


@cache
def conf_folder() -> Path:
    """Return the folder of the tables that come with codemill: inside the wheel, or conf/ of a checkout."""
    package = Path(__file__).parent
    for folder in (package / "conf", package.parent.parent / "conf"):
        if (folder / "languages.yaml").exists():
            return folder
    raise UsageError(f"the tables that come with codemill (languages.yaml ...) are not beside {package}")


def read_table(name: str, replacement: str | None) -> Any:
    """Parse ``<name>.yaml``: the user's own file if the settings name one, the one that comes with codemill if not.

    Raises UsageError when it cannot be read as YAML.
    """
    path = Path(replacement) if replacement else conf_folder() / f"{name}.yaml"
    try:
        return json.loads(_as_json(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{name}: {path} cannot be read ({type(error).__name__})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: {path} is not YAML ({' '.join(str(error).split())[:200]})") from None


@lru_cache(maxsize=32)
def _as_json(text: str) -> str:
    """Turn YAML into JSON, which is read a hundred times as fast: every step asks for the language table anew."""
    return json.dumps(yaml.safe_load(text), sort_keys=False)


def table_text(name: str, replacement: str | None, parse: Callable[[Any], object]) -> str:
    """Read a table, see that it parses, and return it as JSON. Raises UsageError with what is wrong with it."""
    text = json.dumps(read_table(name, replacement), sort_keys=False)
    try:
        catalogue(parse, text)
    except ValueError as error:
        raise UsageError(f"catalogues.{name}: {' '.join(str(error).split())[:400]}") from None
    return text


@lru_cache(maxsize=32)
def catalogue(parse: Callable[[Any], Parsed], text: str) -> Parsed:
    """Parse the JSON text of a table, once per process. Raises ValueError for what the table does not allow."""
    return parse(json.loads(text))
