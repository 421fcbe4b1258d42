"""Choice of a DICOM series by its number, description, UID or modality."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SeriesFacts:
    """What names a series: texts of its header, in capitals as `Header.text` returns them."""

    uid: str = ""
    number: str = ""
    description: str = ""
    modality: str = ""

    @property
    def title(self) -> str:
        """Return the number and the description."""
        return " · ".join(filter(None, (self.number, self.description or "without a description")))


def select_series(facts: Mapping[str, SeriesFacts], wanted: str) -> list[str]:
    """Return the names of the files or series that a text chooses.

    A text that is the number, the description, the UID or the modality of a series chooses this one; else it chooses
    all whose description, or whose name, contains it.

    Args:
        facts: name -> what is known of its series.
        wanted: the text, in any case; everything if it is empty.

    Examples:
        >>> facts = {"a": SeriesFacts("1.2", "1", "T1"), "b": SeriesFacts("1.3", "2", "T1 POST")}
        >>> select_series(facts, "t1"), select_series(facts, "post"), select_series(facts, "2")
        (['a'], ['b'], ['b'])
    """
    text = wanted.strip().upper()
    exact = [
        name for name, each in facts.items() if text in {each.uid, each.number, each.description, each.modality} - {""}
    ]
    return exact or [name for name, each in facts.items() if text in each.description or text in name.upper()]
