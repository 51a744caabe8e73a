"""What a study came to: the best configuration, a table of the trials, and pictures."""

import csv
from pathlib import Path

import optuna
from optuna.importance import get_param_importances
from optuna.trial import FrozenTrial, TrialState

from unroll.base.files import replacing, write_text
from unroll.drawing.sweeps import history, importances
from unroll.jobs.group import SUMMARY


def report(study: optuna.Study, folder: Path) -> dict[str, float]:
    """Print the best trial; write trials.csv, history.png and importance.png below `folder`."""
    trials = study.get_trials(deepcopy=False)
    finished = [each for each in trials if each.state == TrialState.COMPLETE]
    if not finished:
        return {}
    write_table(trials, folder / "trials.csv")
    pruned = [each for each in trials if each.state == TrialState.PRUNED]
    history([(each.number, each.value, each.state == TrialState.COMPLETE) for each in [*finished, *pruned]
             if each.value is not None], folder / "history.png")
    weights = importance(study, finished)
    if weights:
        importances(weights, folder / "importance.png")
    best = study.best_trial
    text = (f"{len(finished)} trials finished, {len(pruned)} were given up; best: #{best.number}, validation loss "
            f"{best.value:.4f}\n\n" + "".join(f"    {each}\n" for each in best.user_attrs["overrides"]))
    write_text(folder / SUMMARY, text)
    print(f"\n{text}\ntable, pictures: {folder}\ntake the best: unroll promote {best.user_attrs['root']}")
    assert best.value is not None
    return {"sweep/val_loss": best.value, "jobs/finished": len(finished), "jobs/pruned": len(pruned)}


def importance(study: optuna.Study, finished: list[FrozenTrial]) -> dict[str, float]:
    """Of each name, the share of the objective's variance that it explains (fANOVA, Hutter et al., 2014); seeded."""
    varied = {name for each in finished for name in each.params
              if len({str(other.params.get(name)) for other in finished}) > 1}
    if len(finished) < 4 or not varied or len({each.value for each in finished}) == 1:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return get_param_importances(study, evaluator=evaluator, params=sorted(varied))


def write_table(trials: list[FrozenTrial], path: Path) -> None:
    names = sorted({name for each in trials for name in each.params})
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["trial", "state", "validation_loss", "validations", *names, "root"])
        for each in trials:
            table.writerow([each.number, each.state.name.lower(), "" if each.value is None else each.value,
                            len(each.intermediate_values), *(each.params.get(name, "") for name in names),
                            each.user_attrs.get("root", "")])
