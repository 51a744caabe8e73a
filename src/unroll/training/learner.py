"""The LightningModule: truncated back-propagation through time with automatic optimisation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from unroll.base.errors import UserError
from unroll.config.objective import column
from unroll.config.train import TrainConfig
from unroll.models.cell import State
from unroll.models.dropout import Masks
from unroll.models.network import Network
from unroll.training.batches import Step
from unroll.training.optimizers import groups, make_optimizer, make_schedule


def gather(trainer: Trainer, value: Tensor) -> Tensor:
    """The values of all ranks, (ranks, …)."""
    found = trainer.strategy.all_gather(value)
    assert isinstance(found, Tensor)
    # a copy, since saving a view saves the whole tensor behind it
    return found.reshape(trainer.world_size, *value.shape).clone()


@dataclass
class Sums:
    """What validation batches add up to for one target; the count is over all ranks."""

    loss: float = 0.0
    count: float = 0
    statistics: Tensor | None = None


class Learner(LightningModule):
    """Trains `network`; losses are sums over targets, divided by their number over all ranks."""

    def __init__(self, network: Network, config: TrainConfig, total_steps: int, rates: Mapping[str, float]) -> None:
        """`rates`: learning rates of parts of the network, as factors."""
        super().__init__()
        self._rates = rates
        self.network, self.config, self.total_steps = network, config, total_steps
        self.gradient_norm = math.nan       # before clipping, of the last optimiser step that was not skipped
        self.learning_rate = math.nan       # of the last optimiser step
        self.clipped = False
        self._state: list[State] | None = None
        self._validation_state: list[State] | None = None
        self._weights = {name: config.weights.get(name, 1.0) for name in network.heads}
        self._validated: dict[str, Sums] = {}

    def on_fit_start(self) -> None:
        torch.set_num_threads(self.config.threads)      # Lightning's launcher has set its own guess
        torch.set_flush_denormal(True)                  # subnormal numbers are many times slower

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the state of all ranks' lanes."""
        assert self._state is not None
        checkpoint["ranks"] = self.trainer.world_size
        checkpoint["carried"] = [tuple(gather(self.trainer, part).flatten(0, 1) for part in layer)
                                 for layer in self._state]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._state = checkpoint["carried"]
        before, now = checkpoint["ranks"], self.trainer.world_size
        if before != now and self.trainer.is_global_zero:
            print(f"train: the checkpoint is from {before} devices, this is {now}: equal up to rounding", flush=True)

    def on_train_start(self) -> None:
        steps = gather(self.trainer, torch.tensor(self.trainer.global_step, device=self.device)).tolist()
        if len(set(steps)) > 1:
            raise UserError("conflict", "train", f"the processes would resume from different steps, {steps}. Let their "
                            "machines share the folder .unroll (DVC_ROOT names the folder that it lies in), or remove "
                            "it on all.")
        if self._state is not None:     # from a checkpoint, with the lanes of all ranks
            rank, ranks = self.trainer.global_rank, self.trainer.world_size
            self._state = [tuple(part.chunk(ranks)[rank].to(self.device) for part in layer) for layer in self._state]

    def training_step(self, batch: Step, batch_idx: int) -> dict[str, Tensor]:
        number = self.current_epoch * int(self.trainer.num_training_batches) + batch_idx
        masks = Masks(self.config.seed, number, batch.lanes)
        outputs, state = self.network(batch.inputs, None if batch.fresh else self._state, masks, batch.lengths)
        self._state = [tuple(part.detach() for part in layer) for layer in state]
        totals = self.network.losses(outputs, batch.targets, self.current_epoch)
        # Lightning divides by the batches of an optimiser step, and the strategy averages over ranks
        share = self.config.accumulate * self.trainer.world_size
        factors = {name: batch.scales[name] * share * self._weights[name] for name in totals}
        loss = torch.stack([total * factors[name] for name, total in totals.items()]).sum()
        return {"loss": loss, "totals": torch.stack([*totals.values()]).detach()}

    def mean_loss(self, losses: Mapping[str, float]) -> float:
        """The loss that is minimised, from the mean loss of each target."""
        return sum(self._weights[name] * loss for name, loss in losses.items())

    def on_validation_epoch_start(self) -> None:
        self._validated = {name: Sums() for name in self.network.heads}

    def validation_step(self, batch: Step, batch_idx: int) -> None:
        state = None if batch.fresh else self._validation_state
        outputs, self._validation_state = self.network(batch.inputs, state, lengths=batch.lengths)
        losses = self.network.losses(outputs, batch.targets)
        for name, sums in self._validated.items():
            # float64 on the host: the sum of many batches keeps the digits that early stopping compares
            sums.loss += float(losses[name])
            sums.count += batch.counts[name]
            counted = self.network.head(name).statistics(outputs[name], batch.targets[name]).double().cpu()
            sums.statistics = counted + (0.0 if sums.statistics is None else sums.statistics)

    def on_validation_epoch_end(self) -> None:
        losses: dict[str, float] = {}
        for name, sums in self._validated.items():
            head = self.network.head(name)
            assert sums.statistics is not None
            own = torch.tensor([sums.loss], dtype=torch.float64)
            loss, *statistics = self._over_ranks(torch.cat([own, sums.statistics]))
            losses[name] = float(loss) / sums.count
            measures = head.measure(torch.stack(statistics)) if statistics else {}
            if len(self._validated) > 1:
                measures = {"loss": losses[name], **measures}
            for measure, value in measures.items():
                self._log(column(name, measure, self._validated), value)
        self._log("loss", self.mean_loss(losses))

    def _over_ranks(self, own: Tensor) -> Tensor:
        # NCCL reduces tensors on GPUs only; Apple's GPUs have no float64
        device = "cpu" if self.device.type == "mps" else self.device
        total = self.trainer.strategy.reduce(own.to(device), reduce_op="sum")
        assert isinstance(total, Tensor)
        return total.cpu()

    def _log(self, name: str, value: float) -> None:
        self.log(f"val/{name}", torch.tensor(value, dtype=torch.float64), rank_zero_only=False, sync_dist=False)

    def configure_optimizers(self) -> Any:
        optimizer = make_optimizer(self.config, groups(self.network, self.config.learning_rate, self._rates))
        schedule = make_schedule(self.config.schedule, optimizer, self.total_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(
        self, optimizer: Optimizer, gradient_clip_val: Any = None, gradient_clip_algorithm: Any = None
    ) -> None:
        """Clip by the norm of the whole gradient (Pascanu et al., 2013); stop when it is not finite at any scale."""
        limit = self.config.clip_norm
        norm = float(clip_grad_norm_(self.parameters(), math.inf if limit is None else limit))
        self.learning_rate = float(optimizer.param_groups[0]["lr"])
        if math.isfinite(norm):
            self.gradient_norm, self.clipped = norm, limit is not None and norm > limit
        elif self._scaled():
            self.clipped = False        # the scaler skips this step, whether the gradient is infinite or NaN
        else:
            raise UserError(
                "diverged", "train.learning_rate", f"the loss is not finite at step {self.global_step} (learning "
                f"rate {self.learning_rate:.3g}, gradient norm {norm}, before that {self.gradient_norm:.3g}). Lower "
                "it, set train.clip_norm, or warm up longer."
            )

    def _scaled(self) -> bool:
        """Whether losses are scaled up for float16, so that a smaller scale may make the gradient finite."""
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        return scaler is not None and scaler.get_scale() >= 1
