"""MLflow: an experiment `asd` in a database, or in a folder, that the server or the page of MLflow opens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from asdcli.errors import AsdError
from asdcli.tracking import PROJECT, Tracked

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported: nothing leaves this machine
_DIGEST = "asd.digest"
_AT_ONCE = 100  # the most that one request may hold, of parameters
_LONGEST = 6000  # characters of a parameter
_NO_NAME = re.compile(r"[^\w\-./ ]")


@dataclass(frozen=True)
class MLflow:
    """Curves and results as metrics: `mlflow ui --backend-store-uri sqlite:///tracking/mlflow.db`."""

    package: ClassVar[str] = "mlflow.tracking"
    place: ClassVar[str] = "mlflow.db"

    def held(self, name: str, place: Path) -> str | None:
        if not place.exists():
            return None
        with _client(place) as client:
            runs = _runs(client, name)
        return str(runs[0].data.tags.get(_DIGEST)) if len(runs) == 1 else None

    def write(self, record: Tracked, place: Path, *, force: bool = False) -> None:
        with _client(place) as client:
            self._write(record, client)

    def _write(self, record: Tracked, client: Any) -> None:
        from mlflow.entities import Metric, Param, RunTag

        for run in _runs(client, record.name):
            client.delete_run(run.info.run_id)
        experiment = client.get_experiment_by_name(PROJECT)
        number = experiment.experiment_id if experiment else client.create_experiment(PROJECT)
        run = client.create_run(number, run_name=record.name, start_time=0)
        last = max(record.by_step, default=0)
        points = [(name, value, step) for name, curve in record.curves.items() for step, value in curve]
        points += [(name, value, last) for name, value in record.summary.items()]
        metrics = [Metric(_NO_NAME.sub("_", name), value, 1000 * step, step) for name, value, step in points]
        params = [Param(_NO_NAME.sub("_", name), str(value)[:_LONGEST]) for name, value in record.params.items()]
        for some in (metrics[i : i + _AT_ONCE] for i in range(0, len(metrics), _AT_ONCE)):
            client.log_batch(run.info.run_id, metrics=some)
        for of_params in (params[i : i + _AT_ONCE] for i in range(0, len(params), _AT_ONCE)):
            client.log_batch(run.info.run_id, params=of_params)
        client.log_batch(run.info.run_id, tags=[RunTag(_DIGEST, record.digest)])  # last: what is not whole is replaced
        client.set_terminated(run.info.run_id, end_time=1000 * last)


@contextmanager
def _client(place: Path) -> Iterator[Any]:
    """MLflow's view of that place. Raises AsdError for what MLflow refuses."""
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    place.parent.mkdir(parents=True, exist_ok=True)
    path = place.absolute()
    try:
        yield MlflowClient(f"sqlite:///{path}" if path.suffix in (".db", ".sqlite") else path.as_uri())
    except MlflowException as error:
        told = f"mlflow cannot keep runs in {place}: {str(error).partition(chr(10))[0]}"
        raise AsdError(told, "the whole of it is needed, not mlflow-skinny: pip install 'asdcli[mlflow]'") from None


def _runs(client: Any, name: str) -> list[Any]:
    experiment = client.get_experiment_by_name(PROJECT)
    if experiment is None:
        return []
    found = client.search_runs([experiment.experiment_id])
    while found.token:
        more = client.search_runs([experiment.experiment_id], page_token=found.token)
        more.extend(found)
        found = more
    return [run for run in found if run.info.run_name == name]
