"""The card that shows how much each setting mattered, in which direction, and how sure that is."""

import math
from collections.abc import Collection, Sequence

from engine.messages import ComputeImportances, ComputeImportancesReply, Importance, RequestFailed
from gui.formatting import format_fixed, format_number
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.space_draft import title
from gui.session import Session
from gui.widgets.card import Card
from gui.widgets.effect_bars import EffectBar, EffectBars
from gui.widgets.labels import label

PANEL = "search-importance"
FEW = "Available after a few more trials."
ENOUGH = "Effect on the loss over the whole range, 95% interval, {} trials."
WEIGHING = "analyzing {} trials…"
SIGNS = {-1: "higher is better", 1: "lower is better"}
COLORS = {-1: "role:accent", 1: "series:1", 0: "role:quiet"}
ABOUT = (
    "Effect of the setting on the loss over its whole range, from a straight-line fit to all finished trials, with its "
    "95% interval. A setting whose best value lies in the middle of its range may show little effect."
)


class ImportanceCard(Card):
    """A bar for each setting, the most important first; the explorer computes them, which takes longer than a frame."""

    def __init__(self, session: Session) -> None:
        super().__init__("Importance")
        self._session = session
        self.bars, self.caption = EffectBars(), label(FEW, role="caption", wrap=True)
        self._seen: tuple[object, ...] = ()
        self._requested: SearchSnapshot | None = None
        self.setToolTip(ABOUT)
        self.add(self.bars)
        self.add(self.caption)
        self.body.addStretch()
        self.set_snapshot(None)

    def set_snapshot(self, found: SearchSnapshot | None) -> None:
        """Compute the importances again when another trial has finished; the bars stay until the new ones come."""
        scored = found.scored() if found else []
        seen = (found.search.path, found.plan.space, [(each.number, each.score) for each in scored]) if found else ()
        if seen == self._seen and seen:
            return
        if seen[:2] != self._seen[:2] or not scored:
            self._show((), FEW)
        self._seen, self._requested = seen, found if scored else None
        self.set_subtitle(WEIGHING.format(len(scored)) if scored else "")
        if found and scored:
            pairs = tuple((each.config, each.score) for each in scored)
            plan = found.plan
            message = ComputeImportances(panel=PANEL, base=plan.base, space=plan.space.to_dict(), trials=pairs)
            handle = self._session.request(message)
            handle.finished.connect(self._on_computed)
            handle.failed.connect(self._on_failed)

    def _show(self, bars: Sequence[EffectBar], caption: str) -> None:
        self.bars.show_effects(bars)
        self.bars.setVisible(bool(bars))
        self.caption.setText(caption)

    def _on_computed(self, reply: ComputeImportancesReply) -> None:
        """Show the importances of the trials that were sent, even if the search has changed meanwhile."""
        found = self._requested
        if found is None:
            return
        self.set_subtitle("")
        ordered = {dimension.name for dimension in found.plan.space.dimensions if dimension.is_ordered}
        bars = effects(reply.weighed or (), ordered)
        self._show(bars, ENOUGH.format(len(found.scored())) if bars else FEW)

    def _on_failed(self, failure: RequestFailed) -> None:
        """Show why, and send the request again when the snapshot is set again."""
        if self._requested is not None:
            self._seen, self._requested = (), None
            self.set_subtitle("")
            self._show((), failure.sentence)


def effects(weighed: Sequence[Importance], ordered: Collection[str]) -> list[EffectBar]:
    """Return the bars; relative effects have logarithmic lengths, so that half and double are equally long."""
    return [_effect(each, each.name in ordered) for each in weighed]


def _effect(each: Importance, ordered: bool) -> EffectBar:
    size, low, high = (_length(value, each.is_relative) for value in (each.effect, each.low, each.high))
    crosses = ordered and each.low * each.high <= 0
    near, far = (0.0, max(low, high)) if crosses else sorted((low, high))
    effect = f"{format_effect(each.effect, each)} ({format_effect(each.low, each)} to {format_effect(each.high, each)})"
    unknown = "direction uncertain" if ordered else "across its values"
    said = f"{SIGNS.get(each.sign, unknown)} · {format_effect(each.effect, each)}"
    return EffectBar(
        title(each.name).lower(), size, near, far, said, COLORS[each.sign], f"{title(each.name)}: {effect}"
    )


def _length(value: float, relative: bool) -> float:
    return abs(math.log1p(max(value, -0.999999))) if relative else abs(value)


def format_effect(value: float, each: Importance) -> str:
    """Return an effect as text: a share of the loss, or a difference of it."""
    if not each.is_relative:
        return format_number(value, 3)
    if value >= 4:
        return f"× {format_fixed(1 + value, 1)}"
    return f"{'+' if round(100 * value) > 0 else ''}{format_fixed(100 * value, 0)}%"
