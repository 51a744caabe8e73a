"""The user's own text below `data/raw/`."""

from unroll.config.sources.text import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.text import text_source


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    (field,) = settings.inputs
    source = text_source(field, access.files(settings.path), settings.unit, settings.encoding, settings.validation,
                         settings.test, settings.seed)
    return source, settings.path, settings.licence
