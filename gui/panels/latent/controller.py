"""What is looked at: the map of a run's latents, the chosen scan, the chosen group; brought to all cards."""

from dataclasses import replace

from PySide6.QtCore import QObject, Qt

from engine.messages import EmbedLatents, EmbedLatentsReply
from gui.explorer_request import ExplorerRequest
from gui.loaded_data import PARTS, LoadedData
from gui.opened_scan import OpenedScan
from gui.panels.latent.error_loader import ErrorLoader
from gui.panels.latent.external_scan import ExternalScan, ExternalScanLoader
from gui.panels.latent.latent_map import LatentState, Place, to_map
from gui.panels.latent.map_card import HINT, MapCard
from gui.panels.latent.options_card import METHODS, MapOptionsCard
from gui.panels.latent.scan_card import LatentScanCard
from gui.panels.latent.tools_card import ToolsCard
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.scatter.model import Numbers

MAP = "latent-map"
ENCODING_TEXT = "Encoding all images…"
EMBEDDING_TEXT = "Computing the {method} embedding… (about a minute)"
Cards = tuple[MapOptionsCard, LatentScanCard, MapCard, ToolsCard]


class LatentController(QObject):
    """Asks for the map and passes on what is chosen on it."""

    def __init__(self, session: Session, cards: Cards, parent: QObject) -> None:
        super().__init__(parent)
        self.scene: LatentState | None = None
        self.map_request, self.measuring = ExplorerRequest(session, self, retry=False), ErrorLoader(session, self)
        self.visiting = ExternalScanLoader(session, self)
        self._choice, self._scan, self._map, self._tools = cards
        self._wanted: tuple[RunRecord, LoadedData] | None = None
        self._version: tuple[str, str, int] | None = None
        self._coming: Place | OpenedScan | None = None
        self._connect()

    def _connect(self) -> None:
        self.map_request.finished.connect(self._on_embedded)
        self.map_request.failed.connect(self._on_failed)
        self.map_request.progressed.connect(self._on_progressed)
        self.measuring.found.connect(self._on_measured)
        self.measuring.told.connect(lambda text: self._map.set_subtitle(text or HINT))
        self.visiting.opened.connect(self.choose)
        self.visiting.placed.connect(self._on_placed)
        for part in (self.visiting, self.measuring):
            part.failed.connect(lambda text: self._choice.notice.show_notice(text))
        for chosen in (self._map.chosen, self._scan.chosen, self._tools.group.chosen):
            chosen.connect(self.choose)
        group = self._tools.group
        self._map.grouped.connect(self.set_group, Qt.ConnectionType.DirectConnection)
        group.cleared.connect(lambda: self.set_group(()))
        group.class_wanted.connect(self.take_class)
        self._tools.between.pair_changed.connect(self.update_markers)
        self._tools.turned.connect(self.update_markers)
        self._choice.color_changed.connect(self._recolor)

    def request_map(self, record: RunRecord, data: LoadedData) -> None:
        """Map the scans of the chosen splits by a run's best model; another run or other data begin anew."""
        version = str(record.run.path), data.fingerprint, record.best.epoch if record.best else 0
        if version != self._version:
            self.map_request.reset()
            if self._version is None or version[1] != self._version[1]:
                self._tools.between.forget()
            elif self.scene is not None:
                self._coming = self.scene.opened or self.scene.chosen
            self.clear(ENCODING_TEXT)
        self._version, self._wanted = version, (record, data)
        values = self._choice.values()
        splits = tuple(split for split in values["splits"] if data.size(split)) or ("train",)
        fields = {"run": version[0], "data": data.config, "splits": splits, "method": values["method"]}
        if self.map_request.send(EmbedLatents(panel=MAP, **fields)):
            self._map.set_subtitle(ENCODING_TEXT)

    def clear(self, why: str) -> None:
        """Have nothing to show, and say why."""
        self.scene, self._version = None, None
        self._map.show_message(why)
        self._map.set_subtitle("")
        self._scan.set_state(None)
        self._tools.look(None, why)
        self._choice.notice.show_notice("")

    def choose(self, what: Place | OpenedScan) -> None:
        """Look at a scan, here and on every page; where there is no map yet, once there is one."""
        self._choice.notice.show_notice(self.scene.mapped.collapse if self.scene else "")
        if self.scene is None:
            self._coming = what
        elif isinstance(what, OpenedScan):
            self._work(replace(self.scene, chosen=None, opened=what))
            self.visiting.request_position(self.scene, self._choice.values()["method"])
        elif what[1] < self.scene.data.size(what[0]):
            self._map.show_external_scan(None)
            self.visiting.close()
            self._tools.add_scan(what)
            self._work(replace(self.scene, chosen=what, opened=None))

    def set_group(self, group: tuple[Place, ...]) -> None:
        """Look at a group of scans."""
        if self.scene is not None:
            self._work(replace(self.scene, group=tuple(group)))
            if group:
                self._tools.show_page("group")

    def take_class(self, name: str) -> None:
        """Take all scans of a class that are on the map."""
        if self.scene is not None and name:
            mapped = self.scene.mapped
            self.set_group(tuple(mapped.key_at(at) for at, label in enumerate(mapped.labels) if label == name))

    def update_markers(self) -> None:
        """Mark on the map what is chosen; A and B only while the way between them is looked at."""
        if self.scene is not None:
            guest = self._map.guest
            letters = {place: str(at) for at, place in enumerate(guest.near, 1)} if guest else {}
            self._map.show_chosen(self.scene.chosen, self.scene.group, letters | self._tools.page().points())

    def _work(self, scene: LatentState) -> None:
        self.scene = scene
        self._scan.set_state(scene)
        self._tools.look(scene)
        self.update_markers()

    def _on_embedded(self, reply: EmbedLatentsReply) -> None:
        if self._wanted is None:
            return
        record, data = self._wanted
        mapped = to_map(reply)
        before = self.scene
        chosen = self._coming or (before.opened or before.chosen if before else None)
        group = tuple(place for place in before.group if mapped.find(place) >= 0) if before else ()
        self._coming = None
        self._map.show_map(mapped, data, self._choice.values()["colour"])
        self._map.set_subtitle(HINT)
        self.measuring.forget()
        self._choice.show_methods(mapped.methods)
        self._choice.notice.show_notice(mapped.collapse)
        scene = LatentState(reply.run, record.name, data, mapped, None, group)
        self._work(scene)
        if chosen is not None:
            self.choose(chosen)
        self.measuring.request_errors(scene, self._choice.values()["colour"])

    def _on_failed(self, why: str) -> None:
        version = self._version
        self.clear(why)
        self._version = version

    def _on_progressed(self, done: int, total: int) -> None:
        text = f"{ENCODING_TEXT} {100 * done // max(total, 1)}%"
        method = self._choice.values()["method"]
        if done >= total and method != "pca":
            text = EMBEDDING_TEXT.format(method=METHODS[method])
        self._map.set_subtitle(text)
        if self.scene is None:
            self._map.show_message(text)

    def _recolor(self) -> None:
        if self.scene is not None:
            colour = self._choice.values()["colour"]
            self._map.show_map(self.scene.mapped, self.scene.data, colour)
            self.update_markers()
            self.measuring.request_errors(self.scene, colour)

    def _on_measured(self, errors: Numbers) -> None:
        if self.scene is not None:
            self.scene = replace(self.scene, mapped=replace(self.scene.mapped, errors=errors))
            self._recolor()

    def _on_placed(self, guest: ExternalScan) -> None:
        if self.scene is not None and self.scene.opened is not None:
            self._map.show_external_scan(guest)
            self.update_markers()


def about(scene: LatentState | None, method: str) -> str:
    """What a map shows, in words."""
    if scene is None:
        return ""
    splits = ", ".join(PARTS[split] for split in dict.fromkeys(scene.mapped.splits))
    return f"{scene.title} · {scene.data.title} ({splits}) · {METHODS[method]}"
