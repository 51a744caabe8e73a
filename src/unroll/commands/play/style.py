"""The style of all pages, and errors shown in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from unroll.base.errors import UserError
from unroll.commands.play.shown import CSS
from unroll.config.sampling import PAGE, named_at
from unroll.models.manifest import open_folder

ABOUT = """
.unroll-title h1 {font-size: 20px; font-weight: 600; margin: 4px 0 0;}
#text textarea, #prompt textarea {font-family: var(--font-mono); font-size: 14px;}
"""


def style() -> dict[str, Any]:
    """Theme and CSS for `launch`; fonts are the machine's own, so that nothing is fetched."""
    theme = gr.themes.Default(primary_hue="blue", neutral_hue="slate", spacing_size="sm", radius_size="sm",
                              font=["system-ui", "sans-serif"], font_mono=["DejaVu Sans Mono", "monospace"])
    return {"theme": theme, "css": CSS + ABOUT}


def title(folder: Path) -> gr.Markdown:
    opened = open_folder(folder)
    kind, name = opened.config.core.kind.upper(), opened.spec.source.name
    return gr.Markdown(f"# {kind}, trained on {escape(name)}", elem_classes="unroll-title")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show a `UserError` in the page, with the names of its controls."""
    try:
        with named_at(PAGE):
            yield
    except UserError as error:
        raise gr.Error(escape(str(error)), print_exception=False) from None
