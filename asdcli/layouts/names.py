"""What the name of one folder or file says of condition, split and domain, and what is left of it.

`0_normal`, `AbnormalSound`, `not ok`, `defect-free` and `engine2_broken` hold words that say a condition. Whether a
name that holds more than such words may be read is for `beside` to say, which sees the other names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asdcli.errors import UsageError
from asdcli.layouts import words
from asdcli.layouts.tokens import CHUNK, Role, Token, Told, hides, tokens_of, typed
from asdcli.vocabulary import NONE, Condition

_EDGES = " \t_.,;+()[]-"


@dataclass(frozen=True)
class Name:
    """What one name says by itself.

    Attributes:
        said: "split", "domain" and "condition" -> what its words say.
        rest: the name without these words; empty where no letter is left.
        key: `rest` as names are compared; "#" where numbers alone are left.
        suspects: the words that say a condition, or may.
        doubtful: they may mean anything: both conditions, a negation of something else, part of a longer word.
        empty: it says nothing and is no name either: `raw`.
        told: the user said what a word of it means.
    """

    said: Mapping[str, Any] = field(default_factory=dict)
    rest: str = ""
    key: str = ""
    suspects: tuple[str, ...] = ()
    doubtful: bool = False
    empty: bool = False
    told: bool = False

    @property
    def condition(self) -> Condition | None:
        return self.said.get("condition")

    @property
    def is_plain(self) -> bool:
        """Whether it says a condition and, but for numbers, nothing else."""
        return self.condition is not None and not self.doubtful and self.key in ("", "#")

    @property
    def may_be_anomalous(self) -> bool:
        return self.doubtful or self.condition == Condition.ANOMALY


class Names:
    """Reads names, each once."""

    def __init__(self, told: Told | None = None) -> None:
        self._told = {_plain(word): meaning for word, meaning in (told or {}).items()}
        self._told_of_files = {word: meaning for word, meaning in self._told.items() if not word.isdigit()}
        self._numbers_matter = any(letter.isdigit() for word in self._told_of_files for letter in word)
        self._read: dict[tuple[str, bool], Name] = {}

    def of_folder(self, name: str) -> Name:
        return self._once(name, False)

    def of_file(self, stem: str) -> Name:
        """As of a folder, but numbers only count the files: `001_fan_ok` and `fan_ok_2` are of one `key`."""
        return self._once(stem if self._numbers_matter else re.sub(r"\d+", "0", stem), True)

    def _once(self, name: str, is_file: bool) -> Name:
        found = self._read.get((name, is_file))
        if found is None:
            text = unicodedata.normalize("NFKC", name)
            found = _read(text, list(tokens_of(text, self._told_of_files if is_file else self._told)), is_file)
            self._read[name, is_file] = found
        return found


def meanings(spellings: Sequence[str]) -> dict[str, Condition | None]:
    """`niO=anomaly` of the command line as a mapping.

    Raises:
        UsageError: no `=`, no word, or a meaning that is none of normal, anomaly and none.
    """
    found: dict[str, Condition | None] = {}
    known = [*(c.value for c in Condition), NONE]
    for spelling in spellings:
        word, equals, meaning = spelling.rpartition("=")
        if not equals or not _plain(word) or meaning not in known:
            raise UsageError(
                f"--condition-word {spelling!r} is not WORD=MEANING",
                f"a meaning is one of {', '.join(known)}: niO=anomaly",
            )
        found[word] = None if meaning == NONE else Condition(meaning)
    return found


def condition_of(text: str) -> Condition | None:
    """The condition that a name or a cell says if it says nothing else: `not ok`, `Unhealthy`; else None."""
    name = Names().of_folder(text)
    return name.condition if name.is_plain and not name.key else None


def is_session(name: str) -> bool:
    """Whether a name holds numbers, dates and words of time only: `2024-01-03`, `week 47`, `Monday`."""
    chunks = [chunk.lower() for chunk in CHUNK.findall(name)]
    return bool(chunks) and all(chunk.isdigit() or chunk in words.SESSIONS for chunk in chunks)


def _plain(word: str) -> str:
    return " ".join(CHUNK.findall(unicodedata.normalize("NFKC", word).casefold()))


@dataclass
class _Conditions:
    """What the words of a name say of a condition, by which words, and which tokens that takes."""

    said: set[Condition] = field(default_factory=set)
    words: list[str] = field(default_factory=list)
    spent: set[int] = field(default_factory=set)
    hidden: bool = False


def _conditions(text: str, tokens: Sequence[Token]) -> _Conditions:
    found = _Conditions()
    for i, token in enumerate(tokens):
        if token.role == Role.OTHER and not token.told and hides(token.text):
            found.hidden = True
            found.words.append(typed(text, token.start, token.end))
        if token.role == Role.CONDITION and token.condition:
            turned = i > 0 and tokens[i - 1].role == Role.NOT
            ended = i + 1 < len(tokens) and tokens[i + 1].role == Role.LESS
            first, last = i - turned, i + ended
            found.spent.update(range(first, last + 1))
            found.words.append(typed(text, tokens[first].start, tokens[last].end))
            found.said.add(_other(token.condition) if turned != ended else token.condition)
    return found


def _read(text: str, tokens: list[Token], is_file: bool) -> Name:
    if tokens and all(t.role == Role.FILLER for t in tokens):
        return Name(empty=True)
    conditions = _conditions(text, tokens)
    spent = conditions.spent
    loose = [i for i, t in enumerate(tokens) if i not in spent and t.role in (Role.NOT, Role.HEDGE)]
    numbers = {i for i, t in enumerate(tokens) if t.role == Role.NUMBER}
    loose = [i for i in loose if tokens[i].role == Role.HEDGE or i + 1 not in numbers]  # no. 3
    said: dict[str, Any] = {}
    splits = {words.SPLITS[t.text] for t in tokens if t.role == Role.SPLIT}
    domains = {words.DOMAINS[t.text] for t in tokens if t.role == Role.DOMAIN}
    for what, values in (("split", splits), ("domain", domains), ("condition", conditions.said)):
        if len(values) == 1 and (what == "condition" or len(splits) < 2):
            said[what] = next(iter(values))
    if is_file:
        spent |= numbers
    else:  # fan_normal_1: the number counts the folders
        for i in sorted(numbers):
            spent |= {i} if i - 1 in spent else set()
    dropped = (Role.SPLIT, Role.DOMAIN, Role.FILLER)
    rest = _without(text, [t for i, t in enumerate(tokens) if i in spent or t.role in dropped]) if said else text
    letters = any(letter.isalpha() for letter in rest)
    return Name(
        said,
        rest if letters else "",
        _plain(rest) if letters else "#" if numbers and (is_file or numbers - spent) else "",
        tuple(conditions.words),
        doubtful=conditions.hidden or bool(conditions.said and (loose or len(conditions.said) > 1)),
        told=any(t.told for t in tokens),
    )


def _other(condition: Condition) -> Condition:
    return Condition.ANOMALY if condition == Condition.NORMAL else Condition.NORMAL


def _without(text: str, tokens: Sequence[Token]) -> str:
    """`text` without these words, and without the marks that then have nothing to separate."""
    pieces, place = [], 0
    for token in tokens:
        pieces.append(text[place : token.start].strip(_EDGES))
        place = token.end
    pieces.append(text[place:].strip(_EDGES))
    return "_".join(piece for piece in pieces if piece)
