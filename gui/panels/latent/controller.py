"""The controller of the Latent panel: the map of a run, the selected image and group, shown in all cards."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from engine.messages import EmbeddingErrors, EmbeddingErrorsReply, EmbedLatents, EmbedLatentsReply
from gui.explorer_request import ExplorerRequest
from gui.loaded_data import LoadedData
from gui.opened_files import OpenedScan
from gui.panels.latent.latent_map import METHODS, ExternalScan, ExternalScanLoader, LatentState, Place, to_map
from gui.panels.latent.map_card import HINT, MapCard, MapOptionsCard
from gui.panels.latent.scan_card import LatentScanCard
from gui.panels.latent.tools_card import ToolsCard
from gui.run_record import RunRecord
from gui.session import Session

ENCODING_TEXT = "Encoding all images…"
ERRORS_TEXT = "Computing reconstruction errors of all images…"
EMBEDDING_TEXT = "Computing the {method} embedding… (about a minute)"
Cards = tuple[MapOptionsCard, LatentScanCard, MapCard, ToolsCard]


class LatentController(QObject):
    """Requests the map and passes selections to the cards; image_chosen carries what the user chose."""

    image_chosen = Signal(object)

    def __init__(self, session: Session, cards: Cards, parent: QObject) -> None:
        super().__init__(parent)
        self.scene: LatentState | None = None
        self.map_request = ExplorerRequest(session, self, retry=False)
        self.errors_request = ExplorerRequest(session, self)
        self.external = ExternalScanLoader(session, self)
        self._choice, self._scan, self._map, self._tools = cards
        self._wanted: tuple[RunRecord, LoadedData] | None = None
        self._version: tuple[str, str, int] | None = None
        self._coming: Place | OpenedScan | None = None
        self._connect()

    def _connect(self) -> None:
        self.map_request.finished.connect(self._on_embedded)
        self.map_request.failed.connect(self._on_failed)
        self.map_request.progressed.connect(self._on_progressed)
        self.errors_request.finished.connect(self._on_errors_computed)
        self.errors_request.failed.connect(self._on_errors_failed)
        self.errors_request.progressed.connect(
            lambda done, total: self._map.set_subtitle(f"{ERRORS_TEXT} {100 * done // total}%")
        )
        self.external.placed.connect(self._on_placed)
        self.external.failed.connect(lambda text: self._choice.notice.show_notice(text))
        for chosen in (self._map.chosen, self._scan.chosen, self._tools.group.chosen):
            chosen.connect(self.choose_by_user)
        group = self._tools.group
        self._map.grouped.connect(self.set_group, Qt.ConnectionType.DirectConnection)
        group.cleared.connect(lambda: self.set_group(()))
        group.class_wanted.connect(self.take_class)
        self._tools.between.pair_changed.connect(self.update_markers)
        self._tools.turned.connect(self.update_markers)
        self._choice.color_changed.connect(self._recolor)

    def request_map(self, record: RunRecord, data: LoadedData) -> None:
        """Request the map of the chosen splits by a run's best model; clear the map of another run or dataset."""
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
        if self.map_request.send(EmbedLatents(panel="latent-map", **fields)):
            self._map.set_subtitle(ENCODING_TEXT)

    def clear(self, message: str) -> None:
        """Show no map but a message."""
        self.scene, self._version = None, None
        self._map.show_message(message)
        self._map.set_subtitle("")
        self._scan.set_state(None)
        self._tools.set_state(None, message)
        self._choice.notice.show_notice("")

    def choose(self, image: Place | OpenedScan) -> None:
        """Select an image in all cards; if there is no map yet, select it once there is one."""
        self._choice.notice.show_notice(self.scene.mapped.collapse if self.scene else "")
        if self.scene is None:
            self._coming = image
        elif isinstance(image, OpenedScan):
            self._set_scene(replace(self.scene, chosen=None, opened=image))
            self.external.request_position(self.scene, self._choice.values()["method"])
        elif image[1] < self.scene.data.size(image[0]):
            self._map.show_external_scan(None)
            self.external.close()
            self._tools.add_scan(image)
            self._set_scene(replace(self.scene, chosen=image, opened=None))

    def choose_by_user(self, image: Place | OpenedScan) -> None:
        """Select an image that the user has chosen in this panel."""
        self.choose(image)
        self.image_chosen.emit(image)

    def set_group(self, group: tuple[Place, ...]) -> None:
        """Select a group of images."""
        if self.scene is not None:
            self._set_scene(replace(self.scene, group=tuple(group)))
            if group:
                self._tools.show_page("group")

    def take_class(self, name: str) -> None:
        """Select all images of a class that are on the map."""
        if self.scene is not None and name:
            mapped = self.scene.mapped
            self.set_group(tuple(mapped.key_at(at) for at, label in enumerate(mapped.labels) if label == name))

    def update_markers(self) -> None:
        """Mark the selected images on the map; A and B only while the interpolation is shown."""
        if self.scene is not None:
            guest = self._map.guest
            letters = {place: str(at) for at, place in enumerate(guest.near, 1)} if guest else {}
            self._map.show_chosen(self.scene.chosen, self.scene.group, letters | self._tools.page().points())

    def _set_scene(self, scene: LatentState) -> None:
        self.scene = scene
        self._scan.set_state(scene)
        self._tools.set_state(scene)
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
        self.errors_request.reset()
        self._choice.show_methods(mapped.methods)
        self._choice.notice.show_notice(mapped.collapse)
        # The first image is something to look at from the start: its neighbors, a traversal, its posterior.
        scene = LatentState(reply.run, record.name, data, mapped, None if chosen else mapped.find_first(), group)
        self._set_scene(scene)
        if chosen is not None:
            self.choose(chosen)
        self._request_errors()

    def _on_failed(self, sentence: str) -> None:
        version = self._version
        self.clear(sentence)
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
            self._map.show_map(self.scene.mapped, self.scene.data, self._choice.values()["colour"])
            self.update_markers()
            self._request_errors()

    def _request_errors(self) -> None:
        """Request the reconstruction errors if they are the color and unknown: they take longer than the map."""
        scene = self.scene
        if scene is None or scene.mapped.errors is not None or self._choice.values()["colour"] != "error":
            return
        splits = tuple(dict.fromkeys(scene.mapped.splits))
        fields = {"run": scene.run, "data": scene.data.config, "splits": splits}
        if self.errors_request.send(EmbeddingErrors(panel="latent-errors", **fields)):
            self._map.set_subtitle(ERRORS_TEXT)

    def _on_errors_computed(self, reply: EmbeddingErrorsReply) -> None:
        self._map.set_subtitle(HINT)
        if self.scene is not None:
            errors = np.asarray(reply.mse, np.float64)
            self.scene = replace(self.scene, mapped=replace(self.scene.mapped, errors=errors))
            self._recolor()

    def _on_errors_failed(self, sentence: str) -> None:
        self._map.set_subtitle(HINT)
        self._choice.notice.show_notice(sentence)

    def _on_placed(self, guest: ExternalScan) -> None:
        if self.scene is not None and self.scene.opened is not None:
            self._map.show_external_scan(guest)
            self.update_markers()
