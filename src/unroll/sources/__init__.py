"""Where sequences come from. Each kind of source is a file here, and its settings one in `unroll.config.sources`.

A kind's code has `open_source(settings, access)`, which returns the source, its name and its licence, and raises
`UserError` when the data is missing or is not what the settings say.
"""

from unroll.config.data import DataConfig
from unroll.config.sources import SOURCES
from unroll.data.source import Origin, Source
from unroll.sources.common.access import Access
from unroll.sources.common.digest import digest

__all__ = ["Access", "digest", "open_source"]


def open_source(settings: DataConfig, access: Access) -> tuple[Source, Origin]:
    """The source that section `data` describes, and where it is from; only its own kind's code is imported."""
    source, name, licence = SOURCES.code_of(settings.kind, "open_source")(settings, access)
    return source, Origin(name, licence, digest(source))
