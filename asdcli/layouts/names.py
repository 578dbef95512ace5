"""What the name of one folder or file says of condition, split and domain, and what is left of it.

`0_normal`, `AbnormalSound`, `not ok`, `defect-free` and `engine2_broken` hold words that say a condition. Whether a
name that holds more than such words may be read is for `beside` to say, which sees the other names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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


def _read(text: str, tokens: list[Token], is_file: bool) -> Name:
    if tokens and all(t.role == Role.FILLER for t in tokens):
        return Name(empty=True)
    said: dict[str, Any] = {}
    spent: set[int] = set()
    conditions: set[Condition] = set()
    suspects: list[str] = []
    splits = {words.SPLITS[t.text] for t in tokens if t.role == Role.SPLIT}
    domains = {words.DOMAINS[t.text] for t in tokens if t.role == Role.DOMAIN}
    for i, token in enumerate(tokens):
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        if token.role == Role.NOT and after and after.role == Role.NUMBER:
            tokens[i] = replace(token, role=Role.OTHER)  # no. 3
        if _hides(token):
            suspects.append(typed(text, token.start, token.end))
        if token.role != Role.CONDITION or not token.condition:
            continue
        turned = i > 0 and tokens[i - 1].role == Role.NOT
        ended = after is not None and after.role == Role.LESS
        whole = range(i - turned, i + ended + 1)
        spent.update(whole)
        suspects.append(typed(text, tokens[whole[0]].start, tokens[whole[-1]].end))
        conditions.add(_other(token.condition) if turned != ended else token.condition)
        if not is_file:  # fan_normal_1: the number counts the folders
            spent |= _numbers_after(tokens, i + 1 + ended)
    for what, values in (("split", splits), ("domain", domains), ("condition", conditions)):
        if len(values) == 1:
            said[what] = next(iter(values))
    hidden = any(_hides(t) for t in tokens)
    loose = any(i not in spent and t.role in (Role.NOT, Role.HEDGE) for i, t in enumerate(tokens))
    doubtful = hidden or bool(conditions and (loose or len(conditions) > 1))
    if len(splits) > 1 or not said:
        said = {what: value for what, value in said.items() if what == "condition"}
    dropped = {Role.SPLIT, Role.DOMAIN, Role.FILLER} | ({Role.NUMBER} if is_file else set())
    rest = _without(text, [t for i, t in enumerate(tokens) if i in spent or t.role in dropped]) if said else text
    letters = any(letter.isalpha() for letter in rest)
    numbers = any(t.role == Role.NUMBER and i not in spent for i, t in enumerate(tokens))
    return Name(
        said,
        rest if letters else "",
        " ".join(CHUNK.findall(rest.casefold())) if letters else "#" if numbers else "",
        tuple(suspects),
        doubtful,
        told=any(t.told for t in tokens),
    )


def _other(condition: Condition) -> Condition:
    return Condition.ANOMALY if condition == Condition.NORMAL else Condition.NORMAL


def _numbers_after(tokens: Sequence[Token], start: int) -> set[int]:
    found = set()
    while start < len(tokens) and tokens[start].role == Role.NUMBER:
        found.add(start)
        start += 1
    return found


def _hides(token: Token) -> bool:
    return token.role == Role.OTHER and not token.told and hides(token.text)


def _without(text: str, tokens: Sequence[Token]) -> str:
    """`text` without these words, and without the marks that then have nothing to separate."""
    pieces, place = [], 0
    for token in tokens:
        pieces.append(text[place : token.start].strip(_EDGES))
        place = token.end
    pieces.append(text[place:].strip(_EDGES))
    return "_".join(piece for piece in pieces if piece)
