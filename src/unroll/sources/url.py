"""Text from the network, read like the user's own."""

from unroll.config.sources.url import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.text import text_source


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    (field,) = settings.inputs
    source = text_source(field, [access.fetch(settings.url, settings.sha256)], settings.unit, settings.encoding,
                         settings.validation, settings.test, settings.seed)
    return source, settings.url, settings.licence
