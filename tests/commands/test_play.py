"""`unroll play`: what a page shows of a model, and the page itself in a real browser.

With UNROLL_PICTURES the browser trains as long as a picture needs, and leaves one in that folder.
"""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.servers import free_port, serving
from tests.conftest import REPOSITORY, hide, run, tiny
from tests.generation.many_fields import networks
from tests.prediction.conftest import ZOO, core, make, refused, save_random
from tests.refusals import refusal
from tests.specs import make_spec
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.commands.play import play
from unroll.commands.play.shown import bars, coloured
from unroll.data.store import Prepared
from unroll.data.tokenizers import Tokenizer, byte, char, word
from unroll.explain.activity import activities, expected, most_varied, read, readable
from unroll.generation.engine import OnnxEngine
from unroll.generation.one_field import OneField
from unroll.models.manifest import STEP, ModelFolder
from unroll.prediction.predictor import Predictor

PICTURES = os.environ.get("UNROLL_PICTURES")
LONG = ["train.max_steps=1500", "train.epochs=999", "model.core.hidden_size=128", "model.inputs.text.size=64", "train.bptt=32"]
SLOW = ["model.core.hidden_size=512"]       # enough for a text to be seen while it grows
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, chinese: str) -> Path:
    """The folder of a model of Chinese characters."""
    root = tmp_path_factory.mktemp("trained")
    (root / "data" / "raw").mkdir(parents=True)
    # for a picture it reads the poem until it knows it by heart
    (root / "data" / "raw" / "corpus.txt").write_text(chinese * (30 if PICTURES else 1), encoding="utf-8")
    workspace = Workspace(root, root)
    run(workspace, tiny(*(LONG if PICTURES else SLOW)), "prepare", "train")
    return workspace.model


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return make(tmp_path_factory.mktemp("letters"), ZOO["stream"][0])[1]


@pytest.fixture(scope="module")
def forecaster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the prepared data of three shops, and a model of random weights."""
    workspace, prepared = make(tmp_path_factory.mktemp("shops"), ZOO["forecast_two"][0])
    save_random(prepared, workspace.model, ZOO["forecast_two"][1], core("gru"), 0)
    return workspace.model


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """A model of random weights that draws letters, tags, labels and numbers."""
    return networks(tmp_path_factory)("all", "gru").folder


def opened(prepared: Prepared, folder: Path, cell: str) -> tuple[Predictor, OneField]:
    predictor = save_random(prepared, folder, ZOO["stream"][1], core(cell), 1)
    return predictor, OneField(OnnxEngine(folder / STEP))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@torch.inference_mode()
def test_the_activity_is_the_network_s_hidden_state_after_each_symbol(letters, tmp_path, cell):
    predictor, engine = opened(letters, tmp_path / "model", cell)
    reading = read(engine, predictor.model.tokenizers["text"], "abc de\nb")
    assert reading.units.shape == (9, 2, 5) and "".join(reading.parts) == "abc de\nb"
    network = predictor.model.network
    state = network.start(1)
    for symbol, units in zip(reading.symbols, reading.units, strict=True):
        _, state = network.step({"text": torch.tensor([symbol])}, state)
        np.testing.assert_allclose(units, [layer[0][0] for layer in state], atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "cnn"])
@torch.inference_mode()
def test_what_is_expected_at_each_place_is_the_network_s_softmax(letters, tmp_path, cell):
    predictor, engine = opened(letters, tmp_path / "model", cell)
    symbols = read(engine, predictor.model.tokenizers["text"], "abc de\nb").symbols
    outputs, _ = predictor.model.network({"text": torch.from_numpy(symbols)[:, None]})
    for place, truth in enumerate(outputs["text"][:, 0].softmax(-1).numpy()):
        np.testing.assert_allclose(expected(engine, symbols, place), truth, atol=1e-5)


def test_a_network_of_windows_has_no_hidden_units(letters, tmp_path):
    _, engine = opened(letters, tmp_path / "model", "cnn")
    assert activities(engine, np.array([1, 2, 3])).shape == (3, 0, 0)


def test_the_unit_that_varies_most_is_the_one_with_the_largest_deviation():
    assert most_varied(np.array([[9, 0, 0.1], [9, 1, 0], [9, -1, 0.2]], np.float32)) == 1


@pytest.mark.parametrize(("tokenizer", "text", "said"), [
    (char.Fitted("\x07\n a天", False), " \n天\x07", ["␣", "⏎", "天", "\\u0007"]), (byte.Fitted(False), "a ä", ["a", "␣", "c3", "a4"]),
    (word.Fitted(["\n", "cat", "the"], True, False), "the cat\n", ["the", "cat", "⏎"]),
], ids=["characters", "bytes", "words"])
def test_every_symbol_can_be_read(tokenizer: Tokenizer, text: str, said: list[str]):
    assert [readable(tokenizer, each) for each in tokenizer.encode(text).tolist()] == said


def test_symbols_that_are_no_text_have_names():
    items = char.Fitted("ab", True)
    assert [readable(items, each) for each in (items.unknown, items.begin, items.end)] == ["unknown", "begin", "end"]


def test_colours_go_from_blue_to_red_and_no_markup_comes_from_a_text():
    page = coloured(["<b>", "\n", "地"], np.array([-0.5, 0.0, 0.25], np.float32), 3, "unit 7")
    blue, none, red = [each.split('"')[0] for each in page.split("background:rgb(")[1:]]
    assert (blue, none, red) == ("36 99 166 / 0.60)", "36 99 166 / 0.00)", "200 50 40 / 0.30)")
    assert "&lt;b&gt;" in page and "<b>" not in page.replace('<b style', "")
    assert page.count('class="here"') == 1 and page.index('class="here"') > page.index('data-place="3"')


def test_the_symbol_that_came_stands_below_the_others_where_it_was_not_expected():
    names = [f"s{each}" for each in range(20)]
    given = np.linspace(0.09, 0.01, 20)
    assert bars(names, given, 19, "x").count("<em") == 17 and "no. 20" in bars(names, given, 19, "x")
    assert bars(names, given, 3, "x").count("<em") == 15 and 'class="came">s3<' in bars(names, given, 3, "x")
    assert "came\"" not in bars(names, given, None, "x")


def test_a_fan_of_the_whole_series_and_of_one_whose_end_is_held_back(forecaster):
    from unroll.commands.play.forecasts import fan, own_series
    from unroll.prediction.predictor import load

    predictor = load(forecaster)
    series = own_series(predictor, forecaster.parent.parent / "data" / "prepared")
    assert list(series) == ["north", 'the "inner", one', "süd"]
    labels = [[line.get_label() for line in fan(predictor, "north", series["north"], 1, held).axes[0].lines]
              for held in (False, True)]
    assert ["actual" in label for label in labels] == [False, True]
    assert own_series(predictor, forecaster) == {}
    assert refused(lambda: fan(predictor, "x", np.ones((4, 2)), 0, True)).startswith("series x: 4 steps, and 4 are held")


def test_without_gradio_the_extra_is_named(trained, monkeypatch):
    hide("gradio", monkeypatch)
    assert "pip install 'unroll[play]'" in refused(lambda: play(str(trained), 1))


def test_a_classifier_has_no_page(tmp_path):
    workspace, prepared = make(tmp_path, ZOO["class"][0])
    save_random(prepared, workspace.model, ZOO["class"][1], core("gru"), 0)
    assert refused(lambda: play(str(workspace.model), 1)).startswith("--model: the model's head is classification;")


def started(*arguments: str) -> subprocess.Popen[str]:
    """As a terminal starts it: Ctrl-C reaches it."""
    return subprocess.Popen([sys.executable, "-m", "unroll", "play", *arguments], env=ENVIRONMENT, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))


def test_an_input_of_each_step_beside_a_text_has_no_control():
    from unroll.commands.play.beside import Beside

    spec = make_spec({"text": {"kind": "tokens", "size": 9, "begin": 0}, "pos": {"kind": "categories", "size": 3, "width": 1, "categories": [["a", "b"]]}},
                     {"text": {"kind": "classes", "per": "step", "size": 9, "of": "text"}})
    opened = SimpleNamespace(spec=spec, tokenizers={})
    assert refusal(lambda: Beside(opened, ["pos"])) == ("unsupported", "--model")


def test_a_port_that_is_taken_is_one_line(trained):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        out, line = started("--model", str(trained), "--port", str(port)).communicate(timeout=120)
    assert out == "" and line.startswith(f"unroll: --port: {port} is taken") and line.endswith(" [in-use]\n")


def test_ctrl_c_ends_it_without_a_word(trained):
    process = started("--model", str(trained), "--port", str(port := free_port()))
    assert process.stdout is not None and process.stdout.readline() == f"play: http://127.0.0.1:{port}  (Ctrl-C ends it)\n"
    process.send_signal(signal.SIGINT)
    out, line = process.communicate(timeout=60)
    assert (process.returncode, out, line) == (130, "", "")


def test_a_language_model_s_page_needs_no_torch(trained):
    code = ("import os, sys; os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'; from pathlib import Path; from unroll.commands.play import _page; "
            f"_page(Path({str(trained)!r})); print(sorted({{'torch', 'onnx', 'mlflow', 'hydra', 'lightning'}} & sys.modules.keys()))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout.strip() == "[]"


# the page in a browser


@pytest.fixture
def visit(chromium: Any, tmp_path: Path) -> Iterator[Any]:
    """`visit(model)`: the page of a model; at the end, nothing was asked of another machine."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        asked: list[str] = []

        def opened(model: Path) -> Any:
            url = f"http://127.0.0.1:{(port := free_port())}"
            command = [sys.executable, "-m", "unroll", "play", "--model", str(model), "--port", str(port)]
            (tmp_path / "served").mkdir()
            stack.enter_context(serving(command, tmp_path / "served", ENVIRONMENT, url, "/"))
            context = chromium.new_context(viewport={"width": 1280, "height": 1000})
            stack.callback(context.close)
            context.set_default_timeout(WAIT_MS)
            context.on("request", lambda request: asked.append(request.url))
            page = context.new_page()
            page.goto(url)
            return page

        yield opened
        assert [each for each in asked if not each.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []


def picture(page: Any, name: str, folder: Path) -> None:
    page.wait_for_timeout(500)
    folder = Path(PICTURES or folder)
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / name)


@pytest.mark.browser
def test_a_page_writes_and_shows_what_goes_on_inside(visit, trained, tmp_path):
    from playwright.sync_api import expect

    page = visit(trained)
    text, symbols, said = page.locator("#text textarea"), page.locator("#shown [data-place]"), page.locator("#expected")
    seen: list[str] = []
    page.expose_function("seen", lambda value: seen.append(value))
    page.evaluate("() => setInterval(() => seen(document.querySelector('#text textarea').value), 20)")
    length = page.get_by_label("number input for Length")
    length.fill("1500")
    length.press("Tab")
    page.locator("#prompt textarea").fill("天地玄黃")
    page.locator("#write").click()
    expect(symbols).to_have_count(1504, timeout=WAIT_MS)
    grown = list(dict.fromkeys(each for each in seen if each))
    assert len(grown) > 2 and all(later.startswith(sooner) for sooner, later in pairwise(grown))
    assert text.input_value().startswith("天地玄黃") and len(text.input_value()) == 1504

    expect(said).to_contain_text("after 天地玄黃, then came")
    symbols.nth(9).click()
    expect(symbols.nth(9)).to_have_class("here")
    expect(said).to_contain_text(f"after {text.input_value()[:10]}".replace("\n", "⏎"))
    assert said.locator("em").count() in (15, 17), "what came stands below where it was not expected"
    picture(page, "play.png", tmp_path)
    colour = symbols.nth(9).get_attribute("style")
    page.locator("#unit input").fill("3")
    page.locator("#unit input").press("Enter")
    expect(page.locator("#shown")).to_contain_text(re.compile(r"unit 3\b"))
    assert symbols.nth(9).get_attribute("style") != colour

    for where, what, message in (("#prompt textarea", "§", "the model's vocabulary lacks '§'"),
                                 ("#pattern textarea, #pattern input", "(", "is not a regular expression"),
                                 ("#pattern textarea, #pattern input", "(a|b)*a(a|b){25}", "seconds to prepare")):
        box = page.locator(where)
        before = box.input_value()
        box.fill(what)
        page.locator("#write").click()
        expect(page.get_by_text(message)).to_be_visible(timeout=WAIT_MS)
        box.fill(before)
    assert page.get_by_text("Traceback").count() == 0
    length.fill("20")
    length.press("Tab")
    page.locator("#write").click()
    expect(symbols).to_have_count(24)


@pytest.mark.browser
def test_a_page_draws_a_forecast_of_its_data_and_of_a_file(visit, forecaster, tmp_path):
    from playwright.sync_api import expect

    page = visit(forecaster)
    fan = page.locator("#fan img")
    page.locator("#own").click()
    first = fan.get_attribute("src")
    assert fan.evaluate("each => each.naturalWidth") > 300
    picture(page, "play_forecast.png", tmp_path)
    for months, name in ((6, "short.csv"), (24, "long.csv")):
        rows = "".join(f"a,{2020 + each // 12}-{each % 12 + 1:02}-01,{each + 1},2\n" for each in range(months))
        (tmp_path / name).write_text(f"shop,month,sold,price\n{rows}", encoding="utf-8")
    page.locator("#file input[type=file]").set_input_files(tmp_path / "short.csv")
    expect(page.get_by_text("2 steps where a forecast reads")).to_be_visible()
    page.get_by_label("Remove this file").or_(page.get_by_label("Clear")).first.click()
    page.locator("#file input[type=file]").set_input_files(tmp_path / "long.csv")
    expect(page.locator("#series input")).to_have_value("a")
    expect(fan).not_to_have_attribute("src", first or "")


@pytest.mark.browser
def test_a_page_draws_rows_as_sample_does(visit, several, tmp_path, capsys):
    from playwright.sync_api import expect

    page = visit(several.folder)
    drawn = page.locator("#picture img")
    page.locator("#draw").click()
    expect(drawn).to_be_visible(timeout=WAIT_MS)
    capsys.readouterr()
    main(["sample", "--model", str(several.folder), "--count", "3", "--length", "50", "--given", 'class=a "quoted", listed'])
    expected = pd.read_csv(io.StringIO(capsys.readouterr().out))
    shown = page.locator("#rows").inner_text().split()
    letters = [each for each in shown if each in "cde"]      # not those of the header; the rows that are in view
    assert len(letters) > 3 and letters == [each for each in expected["letter"] if each in "cde"][: len(letters)]
    assert page.locator("#rows [role=grid]").get_attribute("aria-rowcount") == str(1 + len(expected))
    assert drawn.evaluate("each => each.naturalWidth") > 300
    picture(page, "play_rows.png", tmp_path)
    expected[expected["series"] == 1].head(2).assign(series="begun").to_csv(tmp_path / "begun.csv", index=False)
    page.locator("#file input[type=file]").set_input_files(tmp_path / "begun.csv")
    expect(page.locator("#sequence input")).to_have_value("begun")
    before = drawn.get_attribute("src")
    page.locator("#draw").click()
    expect(drawn).not_to_have_attribute("src", before or "")
    (tmp_path / "bad.csv").write_text("series,letter\na,b\n")
    page.get_by_label("Remove this file").or_(page.get_by_label("Clear")).first.click()
    page.locator("#file input[type=file]").set_input_files(tmp_path / "bad.csv")
    expect(page.get_by_text("no column", exact=False).first).to_be_visible()
