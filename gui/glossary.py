"""Glossary of the app: its terms with their meanings, and those that a text uses."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[1] / "resources" / "help" / "glossary.md"
ROW = re.compile(r"^\| (?!term \||---)(.+?) \| (.+) \|$", re.MULTILINE)
# Everyday words that would mark every second sentence.
PLAIN = re.compile(
    "image|slice|volume|scan|run|model|block|layer|channel|backend|preset|custom|source|dataset|search|trial|prune|"
    "cancel|resume|continue|extend|checkpoint|configuration|intensity|baseline|loss|epoch|batch|training|validation|"
    "dimension|inactive|SD|%"
)


@dataclass(frozen=True)
class Entry:
    """One row of the glossary: its terms, as they are written there, and their meaning."""

    terms: str
    meaning: str

    @property
    def names(self) -> tuple[str, ...]:
        """Return each of its terms alone, abbreviations and signs included."""
        return tuple(name.strip() for name in re.split(r"[,()]", self.terms) if name.strip())


@cache
def entries() -> tuple[Entry, ...]:
    """Return the entries in their order."""
    return tuple(Entry(*found) for found in ROW.findall(FILE.read_text(encoding="utf-8")))


@cache
def find_terms(text: str) -> tuple[str, ...]:
    """Return the terms of the glossary that a text uses, in the order of the glossary, without everyday words.

    Example:
        >>> find_terms("Weight of the KL term; 1 gives the evidence lower bound (ELBO).")
        ('KL term', 'ELBO')
    """
    folded = text.casefold()
    # Most terms are not in a text at all, which is found sooner than by a pattern.
    found = (name for name, folded_name in _list_terms() if folded_name in folded)
    return tuple(name for name in found if re.search(rf"(?<!\w){re.escape(name)}s?(?!\w)", text, _flags(name)))


@cache
def _list_terms() -> tuple[tuple[str, str], ...]:
    """Return the terms without everyday words, each also in the form that ignores case."""
    names = (name for entry in entries() for name in entry.names if not PLAIN.fullmatch(name))
    return tuple((name, name.casefold()) for name in names)


def _flags(name: str) -> re.RegexFlag:
    """Return how a term is searched for: abbreviations by their case."""
    return re.NOFLAG if name.isupper() else re.IGNORECASE
