"""Section `data`: where sequences come from, what is read and what is predicted, what is held out."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from unroll.config.strict import Seed, Strict
from unroll.config.tokenizer import Tokenizer

Share = Annotated[float, Field(gt=0, lt=0.5)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Input = Literal["tokens", "real"]       # symbols, or a vector of real numbers a step
Target = Literal[
    "next",         # the input's own next step: a symbol or a vector
    "next_labels",  # the same of an input whose numbers are 0 or 1: any number of labels
    "class",        # one class a sequence
    "tag",          # one class a step
    "labels",       # any number of labels a step
    "value",        # a real vector a sequence
    "values",       # a real vector a step
    "forecast",     # the input's next `horizon` steps, with intervals
]
FUTURE = ("next", "next_labels", "forecast")    # of an input, whose name they bear
Scale = Literal["standard", "none"]     # to mean 0 and deviation 1 on the training split, or as it is


class _Text(Strict):
    inputs: dict[Name, Literal["tokens"]]       # field names; `model.inputs` has the same
    targets: dict[Name, Literal["next"]]        # predict the field's next symbol; `model.heads` has the same
    tokenizer: Tokenizer
    validation: Share                           # share of the text that chooses the best weights
    test: Share                                 # share of the text that only `evaluate` reads
    seed: Seed                                  # of the hash that orders and splits

    @model_validator(mode="after")
    def _one_field(self) -> "_Text":
        if len(self.inputs) != 1 or set(self.inputs) != set(self.targets):
            text = "a text is one input, and the target is its own next symbol: give both one and the same name"
            raise PydanticCustomError("one_field", "{text}", {"text": text})
        return self


class DocsData(_Text):
    """The docstrings of an installed package: English, mathematics and code without a download."""

    kind: Literal["docs"]
    package: str
    version: str                # the text is the version's; another one is refused
    unit: Literal["stream"]


class TextData(_Text):
    """The user's own file, folder or glob below `data/raw/`."""

    kind: Literal["text"]
    path: str
    unit: Literal["stream", "line"]     # one long text, or short items such as names
    encoding: str
    licence: str


class UrlData(_Text):
    """A file fetched once, checked against its SHA-256 and cached outside the repository."""

    kind: Literal["url"]
    url: str
    sha256: Sha256
    unit: Literal["stream", "line"]
    encoding: str
    licence: str


class ForecastConfig(Strict):
    """What a forecast is made from: windows of one or several series."""

    horizon: PositiveInt        # steps ahead
    context: PositiveInt        # steps that the network reads before each origin
    season: PositiveInt         # steps of a cycle; 1: none. The network corrects the seasonal naive forecast
    log: bool                   # on the logarithm: for positive series whose swings grow with their level
    stride: PositiveInt         # steps between the origins of two training windows


# what a source that has its own fields has
FIXED: dict[str, tuple[Input, Target]] = {
    "packages": ("tokens", "class"), "code": ("tokens", "tag"), "signals": ("real", "tag"),
    "mackey_glass": ("real", "next"), "pianoroll": ("real", "next_labels"),
}


class _Fields(Strict):
    inputs: dict[Name, Input]
    targets: dict[Name, Target]

    @model_validator(mode="after")
    def _complete(self) -> "_Fields":
        source = getattr(self, "kind", "")
        given = [*self.inputs.values(), *self.targets.values()]
        if source in FIXED and given != [*FIXED[source]]:
            text = f"{source} has one input of kind {FIXED[source][0]} and one target of kind {FIXED[source][1]}"
            raise PydanticCustomError("fixed", "{text}", {"text": text})
        forecast = [name for name, kind in self.targets.items() if kind == "forecast"]
        if bool(forecast) != (getattr(self, "forecast", None) is not None):
            text = "a target of kind forecast and the settings data.forecast go together"
            raise PydanticCustomError("forecast", "{text}", {"text": text})
        if forecast and set(self.inputs) != set(forecast):
            text = f"a forecast is of its own input: name both {sorted(self.inputs)}"
            raise PydanticCustomError("forecast", "{text}", {"text": text})
        for name, kind in self.targets.items():
            if kind in FUTURE and name not in self.inputs:
                text = f"targets.{name}: {kind} is the next step of an input; inputs are {sorted(self.inputs)}"
                raise PydanticCustomError("next", "{text}", {"text": text})
            if kind == "next_labels" and self.inputs[name] != "real":
                text = f"targets.{name}: next_labels are of an input of kind real whose numbers are 0 or 1"
                raise PydanticCustomError("next", "{text}", {"text": text})
            if kind not in FUTURE and name in self.inputs:
                text = f"targets.{name}: an input has that name; give the {kind} another one"
                raise PydanticCustomError("name", "{text}", {"text": text})
        return self


class _Split(_Fields):
    validation: Share           # share of the training part that chooses the best weights
    seed: Seed                  # of the hash or the draw that splits and generates


class AeonData(_Split):
    """A data set that aeon brings along, with the archive's own training and test split."""

    kind: Literal["aeon"]
    dataset: Literal["GunPoint", "JapaneseVowels", "BasicMotions", "Covid3Month", "Airline", "Solar"]
    test: Share | None              # of a series, which has no split of its own
    scale: Scale
    forecast: ForecastConfig | None


class TsData(_Split):
    """A file of the UCR and UEA archives' own format, read by aeon."""

    kind: Literal["ts"]
    train: str                      # below data/raw/
    test: str | Share               # a second file, or a share of the first
    scale: Scale
    licence: str


class NpzData(_Split):
    """NumPy arrays: `X_train` (n, T, F) or (n, T), `y_train`, and the same for `test` and, if given, `validation`.

    Sequences of unequal length are padded at the end and have their lengths in `lengths_train` and so on.
    """

    kind: Literal["npz"]
    path: str
    test: Share | None              # none: the file has X_test
    scale: Scale
    licence: str


class TableData(_Split):
    """A CSV or Parquet table: a step a row, or, for text, a sequence a row."""

    kind: Literal["table"]
    path: str                       # below data/raw/: a file, a folder or a glob; several are read one after another
    delimiter: str                  # of CSV, as are the next three
    decimal: Literal[".", ","]
    encoding: str
    header: bool                    # without: columns are called column_1, column_2, …
    columns: dict[Name, list[str]]  # the columns of each input and target; a forecast's or next's stand at its input
    series: str | None              # column that says which sequence a row belongs to; none: the table is one
    time: str | None                # column that orders a sequence's rows, and must rise
    time_format: str | None         # of strptime; none: ISO 8601, or a number
    tokenizer: Tokenizer | None     # of inputs of kind tokens
    scale: Scale
    test: Share
    forecast: ForecastConfig | None
    licence: str


class FolderData(_Split):
    """A folder of folders, each called as the class of the files in it: texts, or recordings as CSV."""

    kind: Literal["folder"]
    path: str
    encoding: str
    delimiter: str
    decimal: Literal[".", ","]
    header: bool
    columns: Annotated[list[str], Field(min_length=1)] | None       # that are read of a recording; None: all
    tokenizer: Tokenizer | None
    scale: Scale
    test: Share
    licence: str


class PackagesData(_Split):
    """Docstrings of several installed packages, one an item, labelled with the package that they come from."""

    kind: Literal["packages"]
    packages: dict[str, str]        # name → version
    longest: PositiveInt            # characters of a docstring that are kept
    least: PositiveInt              # shorter docstrings are left out
    tokenizer: Tokenizer
    test: Share


class CodeData(_Split):
    """The Python source of an installed package, each character tagged with the type of the token it is part of."""

    kind: Literal["code"]
    package: str
    version: str
    longest: PositiveInt            # characters of source that are kept
    tokenizer: Tokenizer
    test: Share


class SignalsData(_Split):
    """Generated: real vectors whose law of motion changes now and then; the tag is the law at work."""

    kind: Literal["signals"]
    size: PositiveInt               # numbers a step
    laws: Annotated[int, Field(ge=2)]
    steps: PositiveInt
    dwell: PositiveInt              # mean number of steps between two changes
    noise: NonNegativeFloat         # deviation of what is added, where the signal itself has 1
    scale: Scale
    test: Share


class MackeyGlassData(_Split):
    """Generated: the delay differential equation of Mackey & Glass (1977), chaotic from tau = 17 on."""

    kind: Literal["mackey_glass"]
    tau: Annotated[float, Field(ge=0.1)]    # the delay in time units; 0.1 is a step of the solution
    interval: PositiveFloat         # time units between two steps of the series
    steps: PositiveInt
    scale: Scale
    test: Share


class PianorollData(_Fields):
    """Polyphonic music, 88 keys, in a MATLAB file with its own split (Boulanger-Lewandowski et al., 2012)."""

    kind: Literal["pianoroll"]
    url: str
    sha256: Sha256
    licence: str


DataConfig = Annotated[
    DocsData | TextData | UrlData | AeonData | TsData | NpzData | TableData | FolderData | PackagesData | CodeData
    | SignalsData | MackeyGlassData | PianorollData,
    Field(discriminator="kind"),
]
