"""The words of one name: set apart by marks, in camel case, or glued together, and what kind of word each is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from asdcli.layouts import words
from asdcli.vocabulary import Condition

Told = Mapping[str, Condition | None]
"""A word or a whole name, as the user told it -> what it says; None: nothing."""

CHUNK = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]")
_ACRONYM = re.compile(r"([A-Z]{2,3})([a-z]\w*)")  # NGparts, OKparts


class Role(Enum):
    """What a word does in a name."""

    SPLIT = "split"
    DOMAIN = "domain"
    CONDITION = "condition"
    NOT = "negation of what follows"
    LESS = "negation of what stands before"
    FILLER = "says nothing"
    HEDGE = "makes a condition doubtful"
    NUMBER = "number"
    OTHER = "anything else"


_ROLES: dict[str, Role] = {
    **dict.fromkeys(words.HEDGES, Role.HEDGE),
    **dict.fromkeys(words.FILLERS, Role.FILLER),
    **dict.fromkeys(words.NEGATING_ENDS, Role.LESS),
    **dict.fromkeys(words.NEGATIONS, Role.NOT),
    **dict.fromkeys(words.DOMAINS, Role.DOMAIN),
    **dict.fromkeys(words.SPLITS, Role.SPLIT),
    **dict.fromkeys(words.CONDITIONS, Role.CONDITION),
}
_SUSPECT = re.compile("|".join(sorted({*words.CONDITIONS, *words.SPLITS, *words.HIDDEN}, key=len, reverse=True)))


@dataclass(frozen=True)
class Token:
    """One word of a name, where it stands, and the condition that it says by itself."""

    text: str
    start: int
    end: int
    role: Role
    condition: Condition | None = None
    told: bool = False


def tokens_of(text: str, told: Told) -> Iterator[Token]:
    """The words of a name in their order; those that the user told come first."""
    if not told and not _SUSPECT.search(re.sub(r"[\W_]+", "", text.lower())):
        yield from (_plain_token(m[0], m.start()) for m in CHUNK.finditer(text))
        return
    place = 0
    for start, end, condition in _told_places(text, told):
        yield from _untold(text, place, start)
        yield Token(
            text[start:end], start, end, Role.OTHER if condition is None else Role.CONDITION, condition, told=True
        )
        place = end
    yield from _untold(text, place, len(text))


def _told_places(text: str, told: Told) -> list[tuple[int, int, Condition | None]]:
    """Where told words stand, the longest first, none over another."""
    found: list[tuple[int, int, Condition | None]] = []
    for word in sorted(told, key=len, reverse=True):
        pattern = r"[\W_]*".join(map(re.escape, word.split()))
        for match in re.finditer(pattern, text, re.IGNORECASE):
            start, end = match.span()
            if word.isdigit() and match[0] != text:
                continue  # a number means something as the whole name of a folder only
            is_word = not (_goes_on(text, start) or _goes_on(text, end))
            if is_word and not any(start < e and s < end for s, e, _ in found):
                found.append((start, end, told[word]))
    return sorted(found, key=lambda place: place[0])


def typed(text: str, start: int, end: int) -> str:
    """The least around a place in a name that is found again when the user tells it."""
    while _goes_on(text, start):
        start -= 1
    while _goes_on(text, end):
        end += 1
    return text[start:end]


def _goes_on(text: str, place: int) -> bool:
    """Whether a word goes on there: with a letter of the same case after a letter, with a digit after a digit."""
    if not 0 < place < len(text):
        return False
    left, right = text[place - 1], text[place]
    if left.isdigit() or right.isdigit():
        return left.isdigit() and right.isdigit()
    return left.isalpha() and right.isalpha() and not (left.islower() and right.isupper())


def _untold(text: str, start: int, end: int) -> Iterator[Token]:
    letters: list[Token] = []  # single ones with a mark between: n.i.O.
    for match in CHUNK.finditer(text, start, end):
        chunk, place = match[0], match.start()
        parts = [_plain_token(chunk[a:b], place + a) for a, b in _parts(chunk)]
        if len(chunk) > 1 or (letters and letters[-1].end + 1 != place):
            yield from letters
            letters = []
        if len(chunk) > 1:
            yield from parts
            continue
        letters += parts
        spelled = ["".join(t.text for t in letters[i:]) for i in range(len(letters))]
        word = next((word for word in spelled if word in words.CONDITIONS), "")
        if word and not text[place + 1 : place + 2].isalnum():
            first = letters[-len(word)]
            yield from letters[: -len(word)]
            yield Token(word, first.start, place + 1, Role.CONDITION, words.CONDITIONS[word])
            letters = []
    yield from letters


def _plain_token(part: str, start: int) -> Token:
    word = part.lower()
    kind = Role.NUMBER if part.isdigit() else _ROLES.get(word, Role.OTHER)
    return Token(word, start, start + len(part), kind, words.CONDITIONS.get(word))


def _parts(chunk: str) -> list[tuple[int, int]]:
    """Where the words of a run of letters lie: as one word, words glued together, or in camel case."""
    if chunk.isdigit() or chunk.lower() in _ROLES:
        return [(0, len(chunk))]
    glued = _glued(chunk.lower())
    if glued:
        return glued
    acronym = _ACRONYM.fullmatch(chunk)
    if acronym and acronym[1].lower() in words.CONDITIONS:
        cut = len(acronym[1])
        return [(0, cut), *((a + cut, b + cut) for a, b in _parts(acronym[2]))]
    pieces = [m.span() for m in _CAMEL.finditer(chunk)] or [(0, len(chunk))]
    found: list[tuple[int, int]] = []
    i = 0
    while i < len(pieces):
        runs = ((pieces[i][0], pieces[j][1], j) for j in range(len(pieces) - 1, i, -1))
        start, end, j = next((run for run in runs if chunk[run[0] : run[1]].lower() in _ROLES), (*pieces[i], i))
        found += [(a + start, b + start) for a, b in _glued(chunk[start:end].lower()) or [(0, end - start)]]
        i = j + 1
    lost = hides(chunk) and not any(_ROLES.get(chunk[a:b].lower()) == Role.CONDITION for a, b in found)
    return [(0, len(chunk))] if lost else found  # ABNORMALx must not fall to pieces


def hides(word: str) -> bool:
    """Whether a word holds one that says an anomaly."""
    word = word.lower()
    for harmless in words.HARMLESS:
        word = word.replace(harmless, "")
    return any(stem in word for stem in words.HIDDEN)


def _glued(word: str) -> list[tuple[int, int]] | None:
    """Two or three known words without a gap, a condition among them: `unhealthy`, `normalsound`; else None."""
    if len(word) > 40 or not _SUSPECT.search(word):
        return None

    def cut(place: int, left: int) -> list[tuple[int, int]] | None:
        if place == len(word):
            return []
        for end in range(len(word), place, -1) if left else ():
            if _may_be_glued(word[place:end], is_first=place == 0):
                rest = cut(end, left - 1)
                if rest is not None:
                    return [(place, end), *rest]
        return None

    parts = cut(0, 3)
    if not parts or len(parts) < 2:
        return None
    kinds = {word[a:b]: _ROLES[word[a:b]] for a, b in parts}
    short = any(kind == Role.CONDITION and len(part) < 3 for part, kind in kinds.items())
    if Role.CONDITION not in kinds.values() or (short and {"no", "un", "ab"} & kinds.keys()):
        return None  # `nook` is not "no ok"
    return parts


def _may_be_glued(part: str, *, is_first: bool) -> bool:
    kind = _ROLES.get(part)
    if kind == Role.FILLER:
        return len(part) > 3
    return kind in (Role.CONDITION, Role.LESS) or (kind == Role.NOT and is_first)
