"""A model on disk: weights and plain JSON, no pickle, the same bytes for the same model."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from unroll.base.errors import UserError
from unroll.base.files import replacing, sha256, write_json
from unroll.base.version import VERSION
from unroll.config.head import Generated
from unroll.config.model import ModelConfig
from unroll.data.spec import Spec
from unroll.data.store import Prepared
from unroll.data.tokenizers import Tokenizer
from unroll.models.by_field import plain
from unroll.models.conformal import Calibration
from unroll.models.manifest import (
    CALIBRATION,
    MANIFEST,
    START,
    STEP,
    STEP_INT8,
    WEIGHTS,
    Manifest,
    damaged,
    digest_of,
    generated,
    open_folder,
)
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
    def generates(self) -> Generated | None:
        return generated(self.config, self.spec)


def save_model(folder: Path, network: Network, config: ModelConfig, prepared: Prepared) -> None:
    """Write the whole folder, or nothing."""
    cell = network.core.cell
    with replacing(folder) as temporary:
        temporary.mkdir()
        write_weights(temporary / WEIGHTS, network)
        calibrated = {name: {"origins": found.origins, "offsets": found.offsets.tolist()}
                      for name in network.heads if (found := network.head(name).calibration) is not None}
        if calibrated:
            write_json(temporary / CALIBRATION, calibrated)
        for file in sorted(prepared.folder.glob("*.tokenizer.json")):
            shutil.copyfile(file, temporary / file.name)
        if network.has_onnx and network.next_step:
            from unroll.models.onnx.start import start_graph
            from unroll.models.onnx.step import step_graph

            if network.static:
                (temporary / START).write_bytes(start_graph(network))
            (temporary / STEP).write_bytes(step_graph(network))
            if cell.int8:
                (temporary / STEP_INT8).write_bytes(step_graph(network, int8=True))
        manifest = Manifest(
            version=VERSION, architecture=config, blocks=cell.blocks, variant=cell.variant,
            spec=prepared.spec, prepared=prepared.digest,
            files={file.name: sha256(file) for file in sorted(temporary.iterdir())},
        ).model_dump(mode="json")
        write_json(temporary / MANIFEST, {**manifest, "digest": digest_of(manifest)})


def parameters(network: Network) -> int:
    """How many numbers were trained."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def write_weights(path: Path, network: Network) -> None:
    # through Python's own files, whose errors say that the disk is full
    weights = {plain(name): value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    path.write_bytes(save(weights))


def read_weights(path: Path, network: Network) -> None:
    names = {plain(name): name for name in network.state_dict()}
    network.load_state_dict({names.get(name, name): value for name, value in load_file(path).items()})


def load_model(folder: Path, trained_on: Prepared | None = None) -> Model:
    """Open a model folder.

    Raises `UserError` if a file is missing, truncated, edited, or of a version that this one cannot read, or if the
    model was trained on other data than `trained_on`.
    """
    opened = open_folder(folder)
    if trained_on is not None and opened.manifest.prepared != trained_on.digest:
        raise UserError("stale", folder, f"trained on other data than {trained_on.folder} holds. Run `dvc repro`, or "
                        "`unroll train` first.")
    try:
        network = build(opened.config, opened.spec, seed=0)
        read_weights(folder / WEIGHTS, network)
    except (SafetensorError, RuntimeError):
        raise damaged(folder) from None
    if CALIBRATION in opened.manifest.files:
        for name, found in json.loads((folder / CALIBRATION).read_text(encoding="utf-8")).items():
            network.head(name).calibration = Calibration(torch.tensor(found["offsets"], dtype=torch.float64),
                                                         found["origins"])
    return Model(network.eval(), opened.config, opened.spec, opened.tokenizers, opened.manifest.files[WEIGHTS])
