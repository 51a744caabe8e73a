"""A model on disk: weights and plain JSON, no pickle, the same bytes for the same model."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from unroll.base.errors import UserError
from unroll.base.files import replacing, sha256, write_json
from unroll.config.model import ModelConfig
from unroll.data.spec import Spec
from unroll.data.store import Prepared
from unroll.data.tokenizers import Tokenizer
from unroll.models.described import STEP, STEP_INT8, WEIGHTS, Written, damaged, digest_of, open_folder, writes
from unroll.models.formats import FORMAT
from unroll.models.network import Network, build


@dataclass(frozen=True)
class Model:
    """A loaded model folder; `digest` is the SHA-256 of its weights."""

    network: Network
    config: ModelConfig
    spec: Spec
    tokenizers: dict[str, Tokenizer]
    digest: str

    @property
    def writes(self) -> Written | None:
        return writes([head.kind for head in self.config.heads.values()], self.spec)


def save_model(folder: Path, network: Network, config: ModelConfig, prepared: Prepared) -> None:
    """Write the whole folder, or nothing."""
    cell = network.core.cell
    with replacing(folder) as temporary:
        temporary.mkdir()
        write_weights(temporary / WEIGHTS, network)
        for file in sorted(prepared.folder.glob("*.tokenizer.json")):
            shutil.copyfile(file, temporary / file.name)
        if cell.has_onnx() and generates(config, prepared.spec):
            from unroll.models.onnx.step import step_graph

            (temporary / STEP).write_bytes(step_graph(network))
            if cell.int8:
                (temporary / STEP_INT8).write_bytes(step_graph(network, int8=True))
        described = {
            "format": FORMAT,
            "architecture": config.model_dump(mode="json"),
            "gates": cell.blocks,
            "variant": cell.variant,
            "spec": prepared.spec.model_dump(mode="json"),
            "prepared": prepared.digest,
            "files": {file.name: sha256(file) for file in sorted(temporary.iterdir())},
        }
        write_json(temporary / "model.json", {**described, "digest": digest_of(described)})


def generates(config: ModelConfig, spec: Spec) -> bool:
    """Whether each step's target is the next step, so that the model can go on with what it said."""
    return all(head.kind == "next_token" or spec.targets[name].ahead == 1
               for name, head in config.heads.items())


def parameters(network: Network) -> int:
    """How many numbers were trained."""
    return sum(each.numel() for each in network.parameters() if each.requires_grad)


def write_weights(path: Path, network: Network) -> None:
    # through Python's own files, whose errors name what a full disk is
    path.write_bytes(save({name: each.detach().cpu().contiguous() for name, each in network.state_dict().items()}))


def read_weights(path: Path, network: Network) -> None:
    network.load_state_dict(load_file(path))


def load_model(folder: Path, trained_on: Prepared | None = None) -> Model:
    """Open a model folder.

    Raises `UserError` when a file is missing, truncated, edited or of another version, or the model was trained on
    other data than `trained_on`.
    """
    opened = open_folder(folder)
    described = opened.described
    if trained_on is not None and described["prepared"] != trained_on.digest:
        raise UserError(f"{folder}: trained on other data than {trained_on.folder} holds. Run `dvc repro`, or "
                        "`unroll train` first.")
    try:
        config = ModelConfig.model_validate(described["architecture"])
        network = build(config, opened.spec, seed=0)
        read_weights(folder / WEIGHTS, network)
    except (ValidationError, SafetensorError, RuntimeError):
        raise damaged(folder) from None
    return Model(network.eval(), config, opened.spec, opened.tokenizers, described["files"][WEIGHTS])
