"""`unroll play`: a page on this machine to play with a model."""

import os
import threading
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.commands.model_option import model_folder
from unroll.models.manifest import open_folder

HOST = "127.0.0.1"


def play(model: str, port: int) -> None:
    """Serve the page until Ctrl-C."""
    _check_gradio()
    with model_folder(model) as folder:
        page = _page(folder)
        _serve(page, port)


def _check_gradio() -> None:
    # set before the import, which would otherwise ask whether a newer version exists
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise UserError("not-installed", "play", "the page needs gradio. Install the extra: pip install "
                        "'unroll[play]', or `make install`, which has it.") from None


def _page(folder: Path) -> Any:
    opened = open_folder(folder)
    match opened.generates:
        case "text":
            from unroll.commands.play.page import text_page

            return text_page(opened)
        case "paths":
            from unroll.commands.play.forecasts import forecast_page

            return forecast_page(folder)
        case "rows":
            from unroll.commands.play.rows import rows_page

            return rows_page(opened)
    raise UserError("unsupported", "--model", f"the model's head is {opened.heads}{opened.beside} only language "
                    "models, forecasters and models of the next step of several fields have a page. Use "
                    "`unroll predict`, or `unroll sample` where it draws.")


def _serve(page: Any, port: int) -> None:
    from unroll.commands.play.style import style

    # requests to this machine must not go through a proxy
    os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), HOST]))
    try:
        page.launch(server_name=HOST, server_port=port, prevent_thread_lock=True, quiet=True, share=False,
                    footer_links=[], max_file_size="50mb", **style())
    except (OSError, OverflowError):
        raise UserError("in-use", "--port", f"{port} is taken or not allowed. Give another, 1024 to 65535.") from None
    print(f"play: http://{HOST}:{port}  (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
