"""What a plan says: the shape of its TOML, read whole, with all that is wrong in it told at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from asdcli.errors import AsdError, BadData, UsageError, unknown_name
from asdcli.filenames import fault, stem, twins
from asdcli.files import require_file
from asdcli.scorers.fuse import FUSED, spelled, unspelled
from asdcli.spec import parse
from asdcli.spec.numbers import numbers
from asdcli.sweep import FOLDER, OWN, STARTS, shipped
from asdcli.sweep.cells import Cell
from asdcli.sweep.packing import SHARED
from asdcli.vocabulary import PRECISIONS, Unit

_AUTOENCODER = "autoencoder"
_EXPLAINED = "a plan that says what every key means is written by: asd sweep --init explained.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSteps(_Strict):
    """How the runs of one label come by their scores; a text alone is the model that is trained.

    Attributes:
        train: spellings of models, as `asd train --model` takes them: one that embeds, an autoencoder, or both.
        embed: an embedder that needs no training, as `asd embed --embedder` takes it.
        methods: instead of the plan's.
        tune: a method whose scores are smoothed with parameters chosen as in the smoothing paper: `asd tune --method`.
    """

    train: tuple[str, ...] = ()
    embed: str | None = None
    methods: tuple[str, ...] | None = None
    tune: str | None = None

    @field_validator("train", mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given


def _model_of_text(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    return {label: {"train": steps} if isinstance(steps, str) else steps for label, steps in given.items()}


class Settings(_Strict):
    """What may be said for one dataset otherwise than for all."""

    models: dict[str, ModelSteps] | None = None
    seeds: str | None = None
    methods: tuple[str, ...] | None = None
    units: tuple[Unit, ...] | None = None
    machine_types: tuple[str, ...] | None = None
    channel: str | None = None
    precision: str | None = None
    hold_out: float | None = None

    _texts = field_validator("models", mode="before")(_model_of_text)

    @field_validator("seeds", mode="before")
    @classmethod
    def _one_seed(cls, given: Any) -> Any:
        return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


class SweepPlan(Settings):
    """A whole plan.

    Attributes:
        datasets: names below the data root.
        models: label -> how its runs come by their scores.
        seeds: of weights and of everything else random, `0-9`.
        methods: as `asd score --method` takes them; one call scores by all of them. `nn+mse+fuse:by=z` fuses two.
        units: the clips that share one reference set; none means each method's own.
        machine_types: only these.
        channel: of recordings of several, as `asd extract-features --channel` takes it.
        precision, hold_out: as `asd train` takes them.
        overrides: dataset -> what is otherwise there.
    """

    datasets: tuple[str, ...] = Field(min_length=1)
    models: dict[str, ModelSteps] = Field(min_length=1)
    seeds: str = "0"
    methods: tuple[str, ...] = ("all",)
    overrides: dict[str, Settings] = Field(default_factory=dict)

    def of(self, dataset: str) -> Settings:
        """What holds for one dataset."""
        other = self.overrides.get(dataset, Settings())
        said = {name: value for name in Settings.model_fields if (value := getattr(other, name)) is not None}
        models = {**self.models, **said.pop("models", {})}
        return Settings.model_construct(
            **{name: said.get(name, getattr(self, name)) for name in Settings.model_fields if name != "models"},
            models=models,
        )


def find(name: str) -> Path:
    """The file of a plan: a path, or the name of one that comes with the package.

    Raises:
        UsageError: neither ("did you mean").
    """
    path = Path(name)
    if path.suffix == ".toml":
        if not path.exists():
            raise UsageError(f"there is no plan {name}", f"write one: asd sweep --init {name}")
        return path
    if name not in shipped():
        error = unknown_name("plan", name, shipped())
        raise UsageError(error.message, f"{error.hint}; a plan of your own is a file that ends in .toml")
    return FOLDER / f"{name}.toml"


def start(what: str) -> tuple[Path, str]:
    """Where a new plan goes and what stands in it: one of the papers' by its short name, else one to change.

    Raises:
        UsageError: neither a short name nor a file that ends in .toml.
    """
    if what in STARTS:
        return Path(f"{STARTS[what]}.toml"), (FOLDER / f"{STARTS[what]}.toml").read_text(encoding="utf-8")
    if Path(what).suffix != ".toml":
        error = unknown_name("plan to begin with", what, STARTS)
        raise UsageError(error.message, f"{error.hint}, or a new file that ends in .toml")
    return Path(what), (FOLDER / f"{OWN}.toml").read_text(encoding="utf-8")


def read(file: Path) -> list[Cell]:
    """The cells of a plan, dataset by dataset, model by model, seed by seed; every spelling is looked up.

    Raises:
        BadData: everything that is wrong with it.
    """
    plan, faults = _checked(file, _toml(file))
    faults += _faults(plan)
    cells: list[Cell] = []
    for dataset in plan.datasets:
        try:
            cells += _cells(dataset, plan.of(dataset), faults)
        except AsdError as error:
            faults.append(_sentence(error))
    if faults:
        raise _faulty(file, list(dict.fromkeys(faults)))
    return cells


def _checked(file: Path, said: dict[str, Any]) -> tuple[SweepPlan, list[str]]:
    """The plan without its unknown keys, and these in words. Raises BadData where it is no plan without them either."""
    faults: list[str] = []
    while True:
        try:
            return SweepPlan(**said), faults
        except ValidationError as error:
            found = error.errors()
        faults += [_told(one) for one in found]
        unknown = [one["loc"] for one in found if one["type"] == "extra_forbidden"]
        if len(unknown) < len(found):
            raise _faulty(file, faults)
        for *above, key in unknown:
            place: Any = said
            for part in above:
                place = place[part]
            del place[key]


def _toml(file: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(require_file(file).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadData(f"{file} is no TOML: {error}", _EXPLAINED) from None


def _faulty(file: Path, faults: Sequence[str]) -> BadData:
    return BadData(f"{file}: {'; '.join(faults)}", _EXPLAINED)


def _told(error: Any) -> str:
    """One thing that pydantic found, in words."""
    place = ".".join(map(str, error["loc"]))
    if error["type"] != "extra_forbidden":
        return f"{place}: {error['msg'][0].lower()}{error['msg'][1:]}"
    key = str(error["loc"][-1])
    return f"unknown key {place}: {unknown_name('key', key, _keys_beside(error['loc'])).hint}"


def _keys_beside(loc: Sequence[Any]) -> list[str]:
    """The keys that there are where an unknown one stands."""
    if len(loc) >= 3 and loc[-3] == "models":
        return list(ModelSteps.model_fields)
    return list(SweepPlan.model_fields if len(loc) == 1 else Settings.model_fields)


def _sentence(error: AsdError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _faults(plan: SweepPlan) -> Iterator[str]:
    """What is wrong with names."""
    for dataset in plan.datasets:
        if why := fault(dataset):
            yield f"{dataset!r} cannot be a dataset's name: {why}"
    for dataset, settings in plan.overrides.items():
        if dataset not in plan.datasets:
            yield f"overrides.{dataset}: {unknown_name('dataset', dataset, plan.datasets).hint}"
        for label in settings.models or {}:
            if label not in plan.models:
                yield f"overrides.{dataset}.models.{label}: {unknown_name('label', label, plan.models).hint}"
    for label in plan.models:
        if label == SHARED or stem(label) != label or fault(label):
            yield f"models.{label}: a label is a folder's name, of letters, digits and ._+=-, and not {SHARED}"
    if pair := twins(plan.models):
        yield f"models.{pair[0]} and models.{pair[1]} are one folder on some systems"


def _cells(dataset: str, settings: Settings, faults: list[str]) -> list[Cell]:
    """The cells of one dataset; what is wrong with one of its models goes to `faults`."""
    seeds = numbers(str(settings.seeds), what="seeds")
    if settings.precision is not None and settings.precision not in PRECISIONS:
        raise unknown_name("precision", settings.precision, PRECISIONS)
    found = []
    for label, steps in (settings.models or {}).items():
        try:
            how = steps_of(steps, settings.methods or ())
        except AsdError as error:
            faults.append(f"models.{label}: {_sentence(error)}")
            continue
        found += [
            Cell(
                dataset=dataset,
                label=label,
                seed=seed,
                units=tuple(str(unit) for unit in settings.units or ()),
                machine_types=settings.machine_types or (),
                channel=settings.channel,
                precision=settings.precision or PRECISIONS[0],
                hold_out=settings.hold_out,
                **how,
            )
            for seed in seeds
        ]
    return found


def steps_of(steps: ModelSteps, methods: Sequence[str]) -> dict[str, Any]:
    """The fields of a cell that say what is done, every spelling the canonical one.

    Raises:
        UsageError: an unknown spelling, or steps that do not go together.
    """
    from asdcli.embedders import EMBEDDERS
    from asdcli.pipeline.steps.score import spellings
    from asdcli.training import MODELS

    trains = tuple(MODELS.spell(MODELS.build(spelling)) for spelling in steps.train)
    own = [parse(spelling)[0] for spelling in trains]
    kinds = {str(getattr(MODELS.load(name), "features", "")) for name in own}
    embedder = None
    if steps.embed is not None:
        cls: Any = EMBEDDERS.load(parse(steps.embed)[0])
        if cls.trained:
            raise UsageError(f"embedder {steps.embed} needs a model", "leave embed out: a model that is trained embeds")
        embedder = EMBEDDERS.spell(EMBEDDERS.build(steps.embed))
        kinds.add(cls.features)
    embedding = [name for name in own if name != _AUTOENCODER]
    if len(own) > 2 or len(embedding) > 1 or len(own) - len(embedding) > 1:
        raise UsageError("a run holds one model that embeds and one autoencoder", "give each model a label of its own")
    methods = steps.methods if steps.methods is not None else methods
    fused = [fusion for method in methods if (fusion := unspelled(method))]
    plain = [method for method in methods if FUSED not in method]
    of_vectors, of_residuals = spellings([*plain, *(part for parts, _ in fused for part in parts)])
    if of_residuals and len(own) == len(embedding):
        raise UsageError(f"{of_residuals[0]} needs an autoencoder", f'train = "{_AUTOENCODER}"')
    if (of_vectors or steps.tune) and not embedding and not embedder:
        what = of_vectors[0] if of_vectors else "tune"
        raise UsageError(f"{what} needs embeddings", 'train a model that embeds, or embed = "logmel"')
    tune = spellings([steps.tune]) if steps.tune else ([], [])
    tuned = next(iter(tune[0] + tune[1]), None)
    if tuned and tuned not in of_vectors + of_residuals:
        raise UsageError(f"tune = {tuned!r} is none of the methods", "add it to methods")
    return {
        "trains": trains,
        "embedder": embedder,
        "methods": (*of_residuals, *of_vectors),
        "fusions": tuple(spelled([s for p in parts for of in spellings([p]) for s in of], how) for parts, how in fused),
        "tune": tuned,
        "kinds": tuple(sorted(kinds)),
    }
