"""TensorBoard: one folder of events a run, the same bytes each time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from asdcli.artifacts import own
from asdcli.tracking import Tracked

_EVENTS = "events.out.tfevents.0.asd"
"""TensorBoard takes for events what has `tfevents` in its name."""
_DIGEST = "asd/digest"


@dataclass(frozen=True)
class TensorBoard:
    """Curves and results as scalars, parameters as hyperparameters: `tensorboard --logdir tracking/tensorboard`."""

    package: ClassVar[str] = "tensorboard.summary.writer.record_writer"
    place: ClassVar[str] = "tensorboard"

    def held(self, name: str, place: Path) -> str | None:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

        file = place / name / _EVENTS
        if not own.is_own(file):
            return None
        values = (value for event in EventFileLoader(str(file)).Load() for value in event.summary.value)
        return next((v.metadata.summary_description for v in values if v.tag == _DIGEST), None)

    def write(self, record: Tracked, place: Path, *, force: bool = False) -> None:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.plugins.hparams import summary_v2
        from tensorboard.summary.writer.record_writer import RecordWriter

        def event(step: int, values: list[Any]) -> bytes:
            # no clock: the time of a step is its number in seconds
            summary = summary_pb2.Summary(value=values)
            data: bytes = event_pb2.Event(wall_time=step, step=step, summary=summary).SerializeToString()
            return data

        def scalar(name: str, value: float) -> Any:
            return summary_pb2.Summary.Value(tag=name, simple_value=value)

        about = summary_pb2.SummaryMetadata(summary_description=record.digest)
        about.plugin_data.plugin_name = "asd"  # of nobody that would show it
        events = [event_pb2.Event(file_version="brain.Event:2").SerializeToString()]
        events.append(event(0, [summary_pb2.Summary.Value(tag=_DIGEST, simple_value=0.0, metadata=about)]))
        hparams = summary_v2.hparams_pb(dict(sorted(record.params.items())), trial_id=record.name, start_time_secs=0)
        events.append(event(0, list(hparams.value)))
        events += [event(step, [scalar(*one) for one in row.items()]) for step, row in record.by_step.items()]
        last = max(record.by_step, default=0)
        events.append(event(last, [scalar(*one) for one in record.summary.items()]))
        with own.written(place / record.name / _EVENTS, force=force) as temporary, temporary.open("wb") as file:
            writer = RecordWriter(file)
            for data in events:
                writer.write(data)
            writer.flush()
