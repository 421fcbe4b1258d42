"""How much each setting mattered, which way, and how sure that is."""

import math
from collections.abc import Collection, Sequence

from engine.search.importance import Importance, importances
from gui.panels.search.drafts import title
from gui.panels.search.found import Found
from gui.widgets.card import Card
from gui.widgets.effect_bars import Effect, EffectBars
from gui.widgets.text import fixed, label, number

FEW = "After a few trials more, this says how much each setting mattered."
SIGNS = {-1: "more is better", 1: "less is better"}
COLOURS = {-1: "role:accent", 1: "series:1", 0: "role:quiet"}
ABOUT = (
    "What the setting does to the loss over its whole range, by a straight line through all finished trials, with its "
    "95 % interval. A setting whose best value lies in the middle may show little."
)


class ImportanceCard(Card):
    """A bar for each setting, the weightiest first."""

    def __init__(self) -> None:
        super().__init__("Importance")
        self.bars, self.caption = EffectBars(), label(FEW, role="caption", wrap=True)
        self._seen: tuple[object, ...] = ()
        self.setToolTip(ABOUT)
        self.add(self.bars)
        self.add(self.caption)
        self.body.addStretch()
        self.show_found(None)

    def show_found(self, found: Found | None) -> None:
        """Weigh the settings anew when a trial more is finished."""
        scored = found.scored() if found else []
        seen = (found.search.path, found.plan.space, len(scored)) if found else ()
        if seen == self._seen and seen:
            return
        self._seen = seen
        pairs = [(trial.config, trial.score) for trial in scored if trial.score is not None]
        weighed = importances(found.plan.space, pairs) if found else None
        ordered = {d.name for d in found.plan.space.dimensions if d.is_ordered} if found else set()
        self.bars.show_effects(effects(weighed or (), ordered))
        self.bars.setVisible(bool(weighed))
        self.caption.setText(f"Effect on the loss over the whole range, 95 %, {len(pairs)} trials." if weighed else FEW)


def effects(weighed: Sequence[Importance], ordered: Collection[str]) -> list[Effect]:
    """The bars: of relative effects the length is that of the logarithm, so that half and double are alike."""
    return [_effect(each, each.name in ordered) for each in weighed]


def _effect(each: Importance, ordered: bool) -> Effect:
    size, low, high = (_length(value, each.is_relative) for value in (each.effect, each.low, each.high))
    crosses = ordered and each.low * each.high <= 0
    near, far = (0.0, max(low, high)) if crosses else sorted((low, high))
    told = f"{share(each.effect, each)} ({share(each.low, each)} to {share(each.high, each)})"
    unknown = "open which way" if ordered else "between its values"
    said = f"{SIGNS.get(each.sign, unknown)} · {share(each.effect, each)}"
    return Effect(title(each.name).lower(), size, near, far, said, COLOURS[each.sign], f"{title(each.name)}: {told}")


def _length(value: float, relative: bool) -> float:
    return abs(math.log1p(max(value, -0.999999))) if relative else abs(value)


def share(value: float, each: Importance) -> str:
    """An effect in words: a share of the loss, or a difference of it."""
    if not each.is_relative:
        return number(value, 3)
    if value >= 4:
        return f"× {fixed(1 + value, 1)}"
    return f"{'+' if round(100 * value) > 0 else ''}{fixed(100 * value, 0)} %"
