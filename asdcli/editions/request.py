"""What of an edition is asked for, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asdcli import catalogue
from asdcli.catalogue.edition import Edition
from asdcli.catalogue.truth import Table, tables
from asdcli.editions.archives import Archive, choose
from asdcli.errors import UsageError
from asdcli.fetch import require_address
from asdcli.vocabulary import Subset


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    `machine_types` None means all; for `base_url` and `from_dir` see `mirror`, for `truth_url` `ground_truth`. Without
    `truth` nobody is asked for ground truth.
    """

    edition: str
    subsets: tuple[Subset, ...] = (Subset.DEV,)
    machine_types: tuple[str, ...] | None = None
    base_url: str | None = None
    from_dir: Path | None = None
    truth_url: str | None = None
    truth: bool = True
    released_attributes: bool = False
    keep_archives: bool = False
    connections: int = 2
    force: bool = False

    def parts(self) -> list[Archive]:
        """Raises UsageError for an unknown edition, subset or machine type, options that exclude each other, or an
        address that is none.
        """
        edition = self.known()
        if not edition.records:
            if edition.made_by:
                raise UsageError(f"{edition.name} is not downloaded but rendered", edition.made_by)
            raise UsageError(
                f"{edition.name} is not downloaded: its TOML names no records",
                f"lay its recordings below data/{edition.name} as organisers do, then: asd index data/{edition.name}",
            )
        if self.base_url and self.from_dir:
            raise UsageError("--base-url and --from-dir exclude each other", "zips come from a mirror or from a folder")
        for option, url in (("--base-url", self.base_url), ("--truth-url", self.truth_url)):
            if url is not None:
                require_address(option, url)
        if self.truth_url and not self.truth:
            raise UsageError("--truth-url and --no-truth exclude each other", "leave one out")
        return choose(edition, self.subsets, self.machine_types)

    def known(self) -> Edition:
        return catalogue.load(self.edition)

    def tables(self) -> list[Table]:
        """The truth tables, and those by which renamed test files of a submission are known."""
        return tables(
            self.known(), self.subsets, self.machine_types, attributes=self.released_attributes, other_names=True
        )

    @property
    def asks_for_truth(self) -> bool:
        """Whether tables are fetched: a folder of zips stands for the network, unless a place for truth is named."""
        return self.truth and (self.from_dir is None or self.truth_url is not None)
