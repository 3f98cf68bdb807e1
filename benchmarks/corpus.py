"""The texts of the archives that the settings name, as ingest reads them."""

from collections.abc import Iterator
from pathlib import Path

from codemill.config import load
from codemill.core.decoding import Decoded, decode
from codemill.ingest import list_containers
from codemill.sources import archives
from codemill.sources.containers import FoundFile, ReadLimits

_LIMITS = ReadLimits(max_file_bytes=1_048_576, max_files=200_000, max_total_bytes=1 << 32)


def texts(conf_file: str) -> Iterator[tuple[str, str]]:
    """Yield (archive/path, text) of every file that can be decoded."""
    for container in list_containers(load(conf_file))[0]:
        for item in archives.read(Path(container.where), _LIMITS):
            decoded = decode(item.raw) if isinstance(item, FoundFile) else None
            if isinstance(decoded, Decoded):
                yield f"{Path(container.where).name}/{item.path}", decoded.text
