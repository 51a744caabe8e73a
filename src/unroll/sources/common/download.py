"""Files from the network, checked against their SHA-256 and kept outside the repository."""

import gzip
import os
import shutil
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

import pooch

from unroll.base.errors import UserError
from unroll.base.files import replacing, sha256


def cache_folder() -> Path:
    """`UNROLL_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("UNROLL_CACHE") or pooch.os_cache("unroll"))


def fetch(url: str, digest: str, mirror: Path | None, progress: bool) -> Path:
    """The local file of `url`, from the mirror, the cache or the network; one with another SHA-256 is not kept."""
    name = f"{digest[:12]}-{Path(unquote(urlparse(url).path)).name}"
    if mirror is not None:
        for copy in (mirror / name, mirror / name[13:]):
            if copy.is_file():
                return _checked(copy, digest)
    folder = cache_folder()
    if mirror is not None and not (folder / name).is_file():
        for packed in (mirror / f"{name}.gz", mirror / f"{name[13:]}.gz"):
            if packed.is_file():
                return _unpacked(packed, folder / name, digest)
    downloader = _copy if urlparse(url).scheme == "file" else pooch.HTTPDownloader(progressbar=progress, timeout=30)
    try:
        return Path(pooch.retrieve(url, f"sha256:{digest}", fname=name, path=folder, downloader=downloader))
    except ValueError as error:
        if isinstance(error, OSError):      # an address that requests does not take
            raise UserError("network", "data.url", f"{url}: {error}") from None
        raise UserError("damaged", "data.url", f"{url} is not the file that data.sha256 names ({digest[:12]}…); it was "
                        "not kept. Check the address, or give the new file's SHA-256.") from None
    except OSError as error:    # the errors of requests are such, too
        raise UserError("network", "data.url", f"{url} could not be fetched ({type(error).__name__}). Put the file at "
                        f"{folder / name}, or into a folder that runtime.mirror names, and start again.") from None


def _checked(path: Path, digest: str) -> Path:
    if sha256(path) != digest:
        raise UserError("damaged", path, f"not the file that data.sha256 names ({digest[:12]}…). Replace it.")
    return path


def _unpacked(packed: Path, target: Path, digest: str) -> Path:
    """The content of a copy in a mirror, kept as if it had been fetched."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        try:
            with gzip.open(packed) as read, temporary.open("wb") as written:
                shutil.copyfileobj(read, written)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError("damaged", packed, f"cannot be unpacked ({error}). Replace it.") from None
        if sha256(temporary) != digest:
            raise UserError("damaged", packed, f"not the file that data.sha256 names ({digest[:12]}…). Replace it.")
    return target


def _copy(url: str, output_file: str, pooch_object: Any) -> None:
    shutil.copyfile(url2pathname(urlparse(url).path), output_file)
