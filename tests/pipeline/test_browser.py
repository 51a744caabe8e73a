"""What `make ui` shows of a sweep in a real browser.

Every step takes a picture, into the folder that UNROLL_PICTURES names: then the runs are as long as a picture needs.
"""

import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from benchmarks.servers import free_port, serving
from tests.conftest import Repo

pytestmark = pytest.mark.browser

CELLS = ("gru", "lstm", "rnn")
PICTURES = os.environ.get("UNROLL_PICTURES")
SHORT = ["train.validate_steps=5"]
LONG = ["experiment=default", "train.max_steps=400", "train.epochs=99", "train.validate_steps=40", "train.log_steps=10",
        "model.core.hidden_size=128", "evaluate.train_tokens=20000"]
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def repo(_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a sweep over three cells."""
    folder = tmp_path_factory.mktemp("browser") / "repo"
    shutil.copytree(_template, folder, symlinks=True)
    repo = Repo(folder)
    longer = LONG if PICTURES else SHORT
    repo.unroll("sweep", "model=rnn,lstm,gru", "runtime.tracking.enabled=true", *longer, "--name", "cells")
    return repo


@pytest.fixture(scope="module")
def address(repo: Repo) -> Iterator[str]:
    """Served by `make ui` itself; there is nothing to install, which the first file says."""
    port = free_port()
    command = ["make", "--old-file=.venv/.ready", "ui", f"PORT={port}"]
    with serving(command, repo.folder, repo.environment, url := f"http://127.0.0.1:{port}"):
        yield url


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """The page of the experiment, as a first visitor comes to it, who asks for training and closes the assistant."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(WAIT_MS)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(address)
    page.get_by_text("Model training", exact=True).click()
    page.locator("[data-component-id='mlflow.assistant.chat_panel.close']").click()
    page.get_by_role("link", name="unroll", exact=True).click()
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == [], "nothing goes elsewhere"


def sees(what: Locator) -> None:
    expect(what.first).to_be_visible(timeout=WAIT_MS)


def picture(page: Page, name: str, folder: Path) -> None:
    page.wait_for_timeout(2000)     # charts move while they appear
    folder = Path(PICTURES or folder)
    folder.mkdir(exist_ok=True)
    # 256 colours: a third of the bytes, and no difference that an eye sees
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(256).save(folder / f"mlflow-{name}.png", optimize=True)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def open_sweep(page: Page) -> None:
    row(page, "cells").get_by_role("button").first.click()
    for cell in CELLS:
        sees(page.get_by_role("link", name=f"model={cell}", exact=True))


def open_run(page: Page, name: str, tab: str) -> None:
    open_sweep(page)
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("tab", name=tab, exact=True).click()


def section(page: Page, name: str) -> Locator:
    """A group of charts, with how many there are."""
    return page.get_by_test_id("experiment-view-compare-runs-section-header").filter(has_text=re.compile(rf"^{name}\s*\(\d+\)"))


def curves(page: Page, wanted: str, count: int) -> None:
    """Lines through several points of so many runs, in the charts of these names; a figure is a bar.

    Runs are told apart by their ids, since MLflow now and then gives two of them one colour. It chooses its charts when the
    runs have come and forgets what was searched for before: so they are waited for, and a page that shows something else is
    opened again.
    """
    drawn: list[str] = []
    for attempt in range(4):
        if attempt:
            page.reload()
        sees(page.get_by_test_id("experiment-view-compare-runs-section-header"))
        page.get_by_placeholder("Search metric charts").fill("")
        page.get_by_placeholder("Search metric charts").fill(wanted)
        for _ in range(80):
            page.wait_for_timeout(500)
            # a run's own points, and the line that smooths them, are traces that draw a path each
            drawn = page.evaluate("""() => [...new Set([...document.querySelectorAll(".js-plotly-plot")].flatMap(chart => {
                const lines = [...chart.querySelectorAll(".scatterlayer .trace")]
                    .map(trace => trace.querySelector("path.js-line")?.getAttribute("d") || "");
                return (chart.data || []).filter(trace => trace.type == "scatter")
                    .filter((_, place) => (lines[place] || "").includes("L")).map(trace => trace.uuid);
            }))]""")
            if len(drawn) == count:
                return
    raise AssertionError(f"curves of {wanted} of {len(drawn)} runs instead of {count}; the page has the sections "
                         f"{page.get_by_test_id('experiment-view-compare-runs-section-header').all_inner_texts()}")


def test_a_sweep_is_a_run_that_opens_into_its_jobs(page: Page, tmp_path: Path) -> None:
    sees(page.get_by_role("link", name="cells", exact=True))
    expect(page.get_by_role("link", name=re.compile("^model="))).to_have_count(0)
    open_sweep(page)
    expect(page.get_by_role("link", name=re.compile("^model="))).to_have_count(3)
    picture(page, "runs", tmp_path)
    page.get_by_role("link", name="cells", exact=True).click()
    sees(page.get_by_text(re.compile(r"^unroll sweep .*model=rnn,lstm,gru")))
    sees(page.get_by_text("jobs/finished"))


def test_a_run_says_what_it_is(page: Page, tmp_path: Path) -> None:
    open_run(page, "model=gru", "Overview")
    sees(page.get_by_role("heading", name=re.compile("^GRU, trained on ")))
    for tag in ("unroll.group: cells", "model.kind: gru", "git.dirty: false", "model.sha256: ", "data.sha256: "):
        sees(page.get_by_text(re.compile(rf"^{re.escape(tag)}")))
    sees(page.get_by_role("link", name="cells", exact=True))        # the run that it belongs to
    for name, value in {"model.core.kind": "gru", "train.learning_rate": "0.004", "data.tokenizer.kind": "char"}.items():
        sees(page.get_by_role("row").filter(has_text=re.compile(rf"^{re.escape(name)}\s*{re.escape(value)}$")))
    for figure in ("val/best_bpc", "test/bpc", "baseline/ngram5_bpc", "system/train_seconds"):
        sees(page.get_by_role("link", name=figure, exact=True))
    picture(page, "run", tmp_path)


def test_its_curves_stand_in_groups(page: Page, tmp_path: Path) -> None:
    open_run(page, "model=gru", "Model metrics")
    for name in ("baseline", "samples", "test", "train", "val"):
        sees(section(page, name))
    for metric in ("val/loss", "train/learning_rate", "(train|val)/(bpc|loss)|gradient_norm|learning_rate"):
        curves(page, metric, 1)
    picture(page, "curves", tmp_path)
    page.get_by_role("tab", name="System metrics", exact=True).click()
    sees(page.get_by_text("train_seconds"))


def test_three_runs_are_compared(page: Page, tmp_path: Path) -> None:
    open_sweep(page)
    for cell in CELLS:
        row(page, f"model={cell}").get_by_role("checkbox", name="Press Space").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    sees(page.get_by_text("Comparing 3 Runs from 1 Experiment"))
    for cell in CELLS:
        sees(page.get_by_role("cell", name=f"model={cell}", exact=True))
    page.get_by_role("main").get_by_role("link", name="unroll", exact=True).click()
    page.locator("label").filter(has=page.locator("[name=runs-view-mode][value=CHART]")).click()
    curves(page, "(train|val)/(bpc|gradient_norm)", 3)
    page.set_viewport_size({"width": 1280, "height": 960})
    picture(page, "compare", tmp_path)


def test_a_sample_and_a_picture_open_in_the_viewer(page: Page, repo: Repo, tmp_path: Path) -> None:
    open_run(page, "model=gru", "Artifacts")
    page.get_by_text("samples", exact=True).click()
    name = page.get_by_text(re.compile(r"^step_\d{6}\.txt$")).last
    name.click()
    run_id = page.url.split("/runs/")[1].split("/")[0]
    text = (repo.folder / "mlartifacts" / run_id / "artifacts" / "samples" / name.inner_text()).read_text()
    assert len(text) > 100
    expect(page.locator(".text-area-border-box, pre, code").first).to_have_text(text, timeout=WAIT_MS)
    picture(page, "sample", tmp_path)
    page.get_by_text("plots", exact=True).click()
    page.get_by_text("gradient_reach.png", exact=True).click()
    shown = page.get_by_alt_text("plots/gradient_reach.png")
    sees(shown)
    assert shown.evaluate("each => each.naturalWidth") > 300
    picture(page, "plot", tmp_path)
