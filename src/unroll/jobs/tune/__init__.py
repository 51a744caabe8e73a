"""Hyperparameter search with Optuna: every trial is a job; trials that validate worse than others are pruned."""

import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.trial import TrialState

from unroll.base.errors import UserError
from unroll.compose import compose, compose_job
from unroll.config.objective import objective
from unroll.jobs import Job
from unroll.jobs.group import Group
from unroll.jobs.pool import LocalPool, Pool, wait
from unroll.jobs.tune.report import report
from unroll.jobs.tune.space import TuneConfig, read
from unroll.jobs.tune.study import SEEN_SECONDS, abandoned, mark, open_study, reachable


def tune(project: Path, space: str, overrides: Sequence[str], name: str | None, trials: int | None, jobs: int | None,
         storage: str | None) -> None:
    """Run trials until the study has `trials` of them, counting those of other processes, and report the best.

    Raises `UserError` when space, overrides or storage cannot be used, or no trial was completed.
    """
    config = read(project / "conf", space)
    experiments = [override.split("=", 1)[1] for override in overrides if override.startswith("experiment=")]
    name = name or "-".join([space, *experiments])
    _, base = compose(project / "conf", overrides)
    _check_names(project / "conf", space, [*overrides, *config.first()])
    folder = project / ".unroll" / "tune" / name
    folder.mkdir(parents=True, exist_ok=True)
    url = storage or f"sqlite:///{(folder / 'study.db').resolve()}"
    goal = objective(base.train.monitor, base.model.heads)
    study = open_study(url, name, config, list(overrides), goal)
    command = " ".join(["tune", "--space", space, *overrides])
    with reachable(url):
        known = study.user_attrs.get("run", "")     # where a process on another machine has opened it
    with reachable(url), Group(project, folder, name, base, command, known) as group, LocalPool(project, jobs) as pool:
        study.set_user_attr("run", group.run_id)
        search = Search(project, folder, study, config, overrides, pool, group)
        search.run(trials or config.trials)
        group.close(report(study, goal, folder), len(study.get_trials(deepcopy=False, states=[TrialState.FAIL])))
        completed = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    if not completed:
        raise UserError("process", "tune", f"study {name} has no completed trial; the reasons are printed above.")


def _check_names(conf: Path, space: str, overrides: Sequence[str]) -> None:
    """Raises `UserError` for a name that `conf/` does not have, which would fail every trial."""
    try:
        compose(conf, overrides)
    except UserError as error:
        if error.code == "unknown-name":
            raise error.within(conf / "tune" / f"{space}.yaml") from None


class Search:
    """The trials that this process works on."""

    def __init__(self, project: Path, folder: Path, study: optuna.Study, config: TuneConfig, overrides: Sequence[str],
                 pool: Pool, group: Group) -> None:
        self._project, self._folder, self._study, self._config = project, folder, study, config
        self._overrides, self._pool, self._group = overrides, pool, group
        self._running: dict[Job, optuna.Trial] = {}
        self._reported: dict[int, int] = {}     # number of validations in the study, by trial
        self._train = compose(project / "conf", overrides)[1].train
        self._seen = time.monotonic()

    def run(self, trials: int) -> None:
        while True:
            while self._pool.room(self._train) and (trial := self._next(trials)) is not None:
                self._start(trial)
            if not self._running:
                return
            for job, trial in list(self._running.items()):
                self._watch(job, trial)
            for job, code in self._pool.ended():
                self._end(job, self._running.pop(job), code)
            if time.monotonic() - self._seen > SEEN_SECONDS:
                self._seen = time.monotonic()
                for trial in self._running.values():
                    mark(trial)
            wait()

    def _next(self, trials: int) -> optuna.Trial | None:
        # locked: two processes would take over the same abandoned trial, or begin one too many
        with FileLock(self._folder / "next.lock"):
            left = next(iter(abandoned(self._study)), None)
            if left is not None:
                self._reported[left.number] = len(left.intermediate_values)
                trial = optuna.Trial(self._study, left._trial_id)   # its job is resumed from the last checkpoint
            elif len(self._study.get_trials(deepcopy=False)) < trials:
                trial = self._study.ask()
            else:
                return None
            mark(trial)
        return trial

    def _start(self, trial: optuna.Trial) -> None:
        self._study.sampler = self._config.sampler_of(trial.number)
        differs = self._config.suggest(trial)
        try:
            overrides = [*self._overrides, *differs]
            composed = compose_job(self._project / "conf", overrides)
            job = Job.below(self._folder, [f"#{trial.number}", *differs], overrides, *composed)
            trial.set_user_attr("root", str(job.root))
            trial.set_user_attr("overrides", differs)
            if job.finished(self._project):     # another trial had the same values
                return self._end(job, trial, 0)
            self._group.admit(job)
            self._pool.start(job)
        except UserError as error:
            self._fail(trial, differs, str(error))
            return None
        self._running[job] = trial
        print(f"tune: {job.name} → {job.root}", flush=True)
        return None

    def _watch(self, job: Job, trial: optuna.Trial) -> None:
        """Report new validations to the study; stop the job when the study prunes it."""
        step = self._report(job, trial)
        if step and trial.should_prune():
            self._pool.stop(job)
            self._prune(job, self._running.pop(job), step)

    def _report(self, job: Job, trial: optuna.Trial) -> int:
        """Report the next validation to the study and return its optimiser step; 0 when there is no new one."""
        known = self._reported.get(trial.number, 0)
        for step, loss in islice(job.folder.validations(), known, None):
            self._reported[trial.number] = known + 1
            trial.report(loss, known + 1)
            return step
        return 0

    def _end(self, job: Job, trial: optuna.Trial, code: int) -> None:
        if code or not job.finished(self._project):
            return self._fail(trial, job.differs[1:], job.folder.reason())
        while step := self._report(job, trial):
            # decided as if the job were still running, so that a study does not depend on timing
            if trial.should_prune():
                return self._prune(job, trial, step)
        value = job.best()
        self._study.tell(trial, value)
        print(f"tune: #{trial.number}: validation {job.objective.name} {value:.4f} "
              f"(best {self._study.best_value:.4f})", flush=True)
        return None

    def _prune(self, job: Job, trial: optuna.Trial, step: int) -> None:
        self._study.tell(trial, state=TrialState.PRUNED)
        self._group.pruned(job, step)
        print(f"tune: #{trial.number}: pruned after step {step}", flush=True)

    def _fail(self, trial: optuna.Trial, differs: Sequence[str], reason: str) -> None:
        self._study.tell(trial, state=TrialState.FAIL)
        print(f"tune: #{trial.number} {' '.join(differs)} failed: {reason}", flush=True)
