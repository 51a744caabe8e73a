"""Files from the network: checked, cached, and replaceable by hand where there is none."""

import hashlib
import shutil
import socket
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.conftest import REPOSITORY
from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.base.workspace import Workspace
from unroll.compose import compose
from unroll.data.store import open_prepared
from unroll.sources.common import download
from unroll.sources.common.download import cache_folder, fetch
from unroll.stages.prepare import prepare

TEXT = b"what is fetched once\n"
DIGEST = hashlib.sha256(TEXT).hexdigest()
OTHER = hashlib.sha256(b"another file").hexdigest()
SHAKESPEARE = REPOSITORY.parent / "shared" / "data" / "tinyshakespeare.txt"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def source(tmp_path) -> Path:
    (tmp_path / "far away").mkdir()
    (tmp_path / "far away" / "a text.txt").write_bytes(TEXT)
    return tmp_path / "far away" / "a text.txt"


@pytest.fixture
def server(source):
    """The address of the source's folder on this machine, and what it was asked for."""

    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=source.parent)) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def get(url: str, digest: str = DIGEST, mirror: Path | None = None) -> Path:
    return fetch(url, digest, mirror, progress=False)


def refused(url: str, digest: str = DIGEST, mirror: Path | None = None) -> tuple[str, str]:
    return refusal(lambda: get(url, digest, mirror), f"{mirror}/")


def kept(cache: Path) -> list[str]:
    return sorted(file.name for file in cache.rglob("*")) if cache.exists() else []


def closed() -> str:
    """The address of a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_local_file_is_copied_into_the_cache_under_its_digest_and_name(source, cache):
    file = get(source.as_uri())
    assert file == cache / f"{DIGEST[:12]}-a text.txt"
    assert file.read_bytes() == TEXT


def test_a_cached_file_needs_no_source(source):
    file = get(source.as_uri())
    source.unlink()
    assert get(source.as_uri()) == file


def test_a_damaged_cache_is_fetched_again(source):
    get(source.as_uri()).write_bytes(b"damaged")
    assert get(source.as_uri()).read_bytes() == TEXT


def test_a_file_that_is_not_the_one_asked_for_is_not_kept(source, cache):
    assert refused(source.as_uri(), OTHER) == ("damaged", "data.url")
    assert kept(cache) == []


def test_a_server_is_asked_once(server, cache):
    address, asked = server
    assert get(f"{address}/a%20text.txt").read_bytes() == TEXT
    assert get(f"{address}/a%20text.txt") == cache / f"{DIGEST[:12]}-a text.txt"
    assert asked == ["/a%20text.txt"]


def test_what_a_server_sends_is_checked(server, cache):
    assert refused(f"{server[0]}/a%20text.txt", OTHER) == ("damaged", "data.url")
    assert kept(cache) == []


def test_a_page_that_is_not_there_is_one_line(server, cache):
    assert refused(f"{server[0]}/b.txt") == ("network", "data.url")
    assert kept(cache) == []


def test_without_a_network_the_line_says_where_to_put_the_file(cache):
    url = f"{closed()}/folder/names.txt?raw=true"
    assert refused(url) == ("network", "data.url")
    with pytest.raises(UserError, match=rf"Put the file at {cache}/{DIGEST[:12]}-names\.txt, or into a folder that"):
        get(url)


def test_a_file_put_where_the_line_says_is_taken(cache):
    cache.mkdir()
    (cache / f"{DIGEST[:12]}-names.txt").write_bytes(TEXT)
    assert get(f"{closed()}/folder/names.txt").read_bytes() == TEXT


def test_a_local_file_that_is_not_there_is_one_line(tmp_path):
    assert refused((tmp_path / "none.txt").as_uri()) == ("network", "data.url")


@pytest.mark.parametrize("name", ["names.txt", f"{DIGEST[:12]}-names.txt"])
def test_a_mirror_is_tried_before_the_network(tmp_path, cache, name):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / name).write_bytes(TEXT)
    assert get(f"{closed()}/names.txt", mirror=tmp_path / "mirror") == tmp_path / "mirror" / name
    assert kept(cache) == []


def test_a_mirror_is_checked_too(tmp_path):
    (tmp_path / "names.txt").write_bytes(b"another text")
    assert refused(f"{closed()}/names.txt", mirror=tmp_path) == ("damaged", "names.txt")


def test_a_mirror_that_lacks_the_file_leaves_it_to_the_source(tmp_path, source):
    assert get(source.as_uri(), mirror=tmp_path / "no mirror").read_bytes() == TEXT


@pytest.mark.parametrize("url", ["names.txt", "gopher://127.0.0.1/names.txt"])
def test_an_address_that_is_none_is_one_line(url):
    assert refused(url) == ("network", "data.url")


def test_the_cache_is_outside_the_repository_where_nothing_else_is_said(monkeypatch, cache):
    assert cache_folder() == cache
    monkeypatch.delenv("UNROLL_CACHE")
    monkeypatch.setattr(download.pooch, "os_cache", lambda name: Path("/home/user/.cache") / name)
    assert cache_folder() == Path("/home/user/.cache/unroll")


@pytest.mark.skipif(not SHAKESPEARE.is_file(), reason="needs ../shared/data/tinyshakespeare.txt")
def test_shakespeare_is_prepared_from_a_mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    shutil.copy(SHAKESPEARE, tmp_path / "mirror" / "input.txt")
    config = compose(REPOSITORY / "conf", ["data=shakespeare", f"runtime.mirror={tmp_path}/mirror"])[1]
    prepare(Workspace(tmp_path, tmp_path), config.runtime, config.data)
    spec = open_prepared(tmp_path / "data" / "prepared").spec
    assert spec.inputs["text"].size == 66     # the 65 characters of char-rnn and the unknown one
    assert sum(split.characters for split in spec.splits.values()) == 1_115_394


def test_an_address_with_hash_in_it_is_not_taken_for_a_wrong_file(monkeypatch, tmp_path):
    from unroll.sources.common.download import fetch

    monkeypatch.setenv("UNROLL_CACHE", str(tmp_path))
    with pytest.raises(UserError) as caught:
        fetch("gopher://127.0.0.1/hash.txt", "0" * 64, None, progress=False)
    assert "is not the file" not in str(caught.value)
