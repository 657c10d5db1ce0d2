"""Public files by their documented address: resumable, checked, locked, kept in the cache."""

from __future__ import annotations

from zoo.data.fetch.archive import unpack
from zoo.data.fetch.listing import list_source
from zoo.data.fetch.transfer import RemoteFile, download

__all__ = ["RemoteFile", "download", "list_source", "unpack"]
