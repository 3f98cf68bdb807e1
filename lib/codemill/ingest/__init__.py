"""Ingest: sources -> the tables `projects` and `files`, with a decision for whatever is refused."""

from codemill.ingest.containers import check_sources, list_containers
from codemill.ingest.job import ingest
from codemill.ingest.rows import OTHER

__all__ = ["OTHER", "check_sources", "ingest", "list_containers"]
