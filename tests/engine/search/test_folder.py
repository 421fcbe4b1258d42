"""The folder of a search is there whole or not at all."""

import pytest

from engine.errors import EmptySource, SearchBusy, SourceNotFound
from engine.messages import Search
from engine.search import folder, search_spec
from tests.engine.search.conftest import SPACE


@pytest.fixture
def order(tiny, tmp_path):
    return Search(name="small", root=str(tmp_path), base=tiny(), space=SPACE)


def test_killed_while_it_is_made_it_can_be_made_again(order, tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(folder.TrialStorage, "set_attrs", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.prepare_folder(order)
    assert folder.list_searches(tmp_path) == []  # one without a plan is not found
    with folder.prepare_folder(order).open_storage() as ledger:
        assert search_spec.spec_from_attrs(ledger).space.names == list(SPACE)
    assert sorted(path.name for path in (tmp_path / "_searches" / "small").iterdir()) == ["ledger.sqlite", "lock"]


def test_search_whose_images_are_not_there_takes_no_name_and_does_not_continue(order, tmp_path, tiny):
    nowhere = order.model_copy(update={"base": tiny(source=str(tmp_path / "nowhere"))})
    with pytest.raises(SourceNotFound):
        folder.prepare_folder(nowhere)
    assert not (tmp_path / "_searches").exists()
    away = tmp_path / "scans"
    away.mkdir()
    (away / "1.png").touch()
    there = order.model_copy(update={"base": tiny(source=str(away))})
    folder.prepare_folder(there)
    (away / "1.png").unlink()
    with pytest.raises(EmptySource):
        folder.prepare_folder(Search(name="small", root=str(tmp_path)))
    on_cluster = {"cluster": "tcp://cluster:8786"}
    folder.prepare_folder(Search(name="small", root=str(tmp_path), settings=on_cluster))  # its workers may see more


def test_second_maker_is_reported(order, tmp_path):
    folder.SearchFolder(tmp_path / "_searches" / "small").path.mkdir(parents=True)
    with (
        folder.SearchFolder(tmp_path / "_searches" / "small").lock(),
        pytest.raises(SearchBusy, match="another process"),
    ):
        folder.prepare_folder(order)
