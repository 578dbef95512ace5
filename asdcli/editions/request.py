"""What of an edition is asked for, and from where."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
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

    def again(self, *more: str, edition: str = "", machine_types: Sequence[str] = ()) -> str:
        """The command that asks for the same, with `more` options, of another edition or of these machine types."""
        words = ["asd", "download", edition or self.edition, *more]
        if self.subsets != (Subset.DEV,):
            words += [word for subset in self.subsets for word in ("--subset", str(subset))]
        words += [word for name in machine_types or self.machine_types or () for word in ("--machine-type", name)]
        named = {"--base-url": self.base_url, "--from-dir": self.from_dir, "--truth-url": self.truth_url}
        words += [str(word) for pair in named.items() if pair[1] is not None for word in pair]
        words += [] if self.truth else ["--no-truth"]
        words += ["--released-attributes"] if self.released_attributes else []
        words += ["--keep-archives"] if self.keep_archives else []
        words += ["--connections", str(self.connections)] if self.connections != Request.connections else []
        return shlex.join(words)

    def parts(self, root: Path) -> list[Archive]:
        """The archives that are asked for; `root` is where they go.

        Raises UsageError for an unknown edition, subset or machine type, options that exclude each other, or an
        address that is none.
        """
        edition = self.known()
        if not edition.records:
            if edition.made_by:
                raise UsageError(f"{edition.name} is not downloaded but rendered", edition.made_by)
            raise UsageError(
                f"{edition.name} is not downloaded: its TOML names no records",
                f"lay its recordings below {root} as organisers do, then: asd index {shlex.quote(str(root))}",
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
