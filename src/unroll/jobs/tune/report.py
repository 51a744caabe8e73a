"""The report of a study: the best configuration, a table of the trials, and pictures."""

from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from unroll.base.files import write_rows, write_text
from unroll.config.objective import Objective
from unroll.drawing.sweeps import history, importances
from unroll.jobs.group import SUMMARY


def report(study: optuna.Study, goal: Objective, folder: Path) -> dict[str, float]:
    """Print the best trial, write trials.csv and the pictures below `folder`, and return the study's figures.

    Nothing where no trial is complete.
    """
    trials = study.get_trials(deepcopy=False)
    completed = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not completed:
        return {}
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    write_rows(folder / "trials.csv", table(trials, goal))
    history([(trial.number, trial.value, trial.state == TrialState.COMPLETE) for trial in [*completed, *pruned]
             if trial.value is not None], goal.name, goal.higher_is_better, folder / "history.png")
    if weights := importance(study, completed):
        importances(weights, folder / "importance.png")
    best = study.best_trial
    text = (f"{len(completed)} trial{'s' * (len(completed) != 1)} completed, {len(pruned)} pruned; best: "
            f"#{best.number}, validation {goal.name} {best.value:.4f}\n\n"
            + "".join(f"    {override}\n" for override in best.user_attrs["overrides"]))
    write_text(folder / SUMMARY, text)
    print(f"\n{text}\ntable, pictures: {folder}\ntake the best: unroll promote {best.user_attrs['root']}")
    assert best.value is not None
    return {f"sweep/val_{goal.name}": best.value, "jobs/finished": len(completed), "jobs/pruned": len(pruned)}


def importance(study: optuna.Study, completed: list[FrozenTrial]) -> dict[str, float]:
    """The share of the loss's variance that each hyperparameter explains (fANOVA, Hutter et al., 2014); seeded.

    Nothing where there are too few trials to tell, or nothing varies.
    """
    varied = {name for trial in completed for name in trial.params
              if len({str(other.params.get(name)) for other in completed}) > 1}
    if len(completed) < 4 or not varied or len({trial.value for trial in completed}) == 1:
        return {}
    # imports scikit-learn, which takes seconds
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    evaluator = FanovaImportanceEvaluator(seed=0)
    return get_param_importances(study, evaluator=evaluator, params=sorted(varied))


def table(trials: list[FrozenTrial], goal: Objective) -> list[dict[str, Any]]:
    names = sorted({name for trial in trials for name in trial.params})
    return [{"trial": trial.number, "state": trial.state.name.lower(),
             f"validation_{goal.name}": "" if trial.value is None else trial.value,
             "validations": len(trial.intermediate_values),
             **{name: trial.params.get(name, "") for name in names},
             "root": trial.user_attrs.get("root", "")} for trial in trials]
