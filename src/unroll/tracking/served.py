"""The model that MLflow serves, in the serving process: errors in a request are answered with one sentence.

MLflow itself drops parameters that it does not know, answers some bodies with status 500 and no message, and wraps the
model's messages in data and stack traces.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from unroll.base.errors import UserError
from unroll.prediction.requests import read_request
from unroll.prediction.served import Draws, Generates, Predicts, open_served

JSON = "application/json"
LONGEST = 400       # characters of a sentence; it may quote what was sent

Invocations = Callable[[Any, str | None, Any, Any], Any]


class Refused(MlflowException):     # type: ignore[misc]
    """Status 400 and the sentence, without what MLflow adds to it."""

    def __init__(self, sentence: str) -> None:
        sentence = " ".join(sentence.split())
        if len(sentence) > LONGEST:
            sentence = f"{sentence[: LONGEST // 2]} … {sentence[-LONGEST // 2 :]}"
        super().__init__(sentence, error_code=INVALID_PARAMETER_VALUE)
        self._sentence = sentence

    def serialize_as_json(self) -> str:
        return json.dumps({"error_code": self.error_code, "message": self._sentence}, ensure_ascii=True)


class Served:
    """The object that MLflow calls with a table."""

    def __init__(self, model: Generates | Draws | Predicts) -> None:
        self._model = model

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        try:
            return self._model.predict(data, params)
        except UserError as error:
            raise Refused(str(error)) from None


def _load_pyfunc(folder: str) -> Served:
    """Load the model; MLflow calls this function by its name."""
    if "mlflow.pyfunc.scoring_server.app" in sys.modules:   # in the process of `mlflow models serve`
        server = sys.modules["mlflow.pyfunc.scoring_server"]
        server.invocations = checked(server.invocations)        # type: ignore[attr-defined]
    return Served(open_served(Path(folder)))


def checked(invocations: Invocations) -> Invocations:
    """MLflow's function from a body to a response, preceded by a check of the body."""

    def answer(data: bytes, content_type: str | None, model: Any, schema: Any) -> Any:
        try:
            if (content_type or "").split(";")[0].strip() != JSON:
                raise UserError("unsupported", "Content-Type", f"{content_type} cannot be read. Send {JSON}.")
            body = read_request(data, model.metadata.get_params_schema() is not None)
            answered = invocations(body, content_type, model, schema)
        except UserError as error:
            raise Refused(str(error)) from None
        except MlflowException as error:
            if isinstance(error, Refused) or "stack_trace" in error.json_kwargs:    # raised by the model
                raise
            raise _unread(error.message, model) from None
        except Exception as error:      # MLflow's conversion to a table fails on unusual bodies
            raise _unread(str(error), model) from None
        if answered.status != 200:
            raise _unread(answered.response, model)
        return answered

    return answer


def _unread(reason: str, model: Any) -> Refused:
    """MLflow's reason, the innermost of its nested errors, and what a body looks like."""
    names = model.metadata.get_input_schema().input_names()
    body = '{"inputs": [one, another]}'
    if len(names) > 1:
        body = '{"dataframe_records": [{' + ", ".join(f'"{name}": …' for name in names) + "}]}"
    return Refused(f"body: cannot be read as a table ({reason.rpartition('Error: ')[2].strip(' .')}). Send {body}.")
