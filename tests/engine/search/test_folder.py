"""The folder of a search is there whole or not at all."""

import pytest

from engine.errors import SearchBusy
from engine.messages import Search
from engine.search import folder
from tests.engine.search.conftest import SPACE


@pytest.fixture
def order(tiny, tmp_path):
    return Search(name="small", root=str(tmp_path), base=tiny(), space=SPACE)


def test_killed_while_it_is_made_it_can_be_made_again(order, tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(folder.Ledger, "state", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.prepare(order)
    assert folder.find_all(tmp_path) == []  # nobody finds one without a plan
    with folder.prepare(order).ledger() as ledger:
        assert folder.plan_of(ledger).space.names == list(SPACE)
    assert sorted(path.name for path in (tmp_path / "_searches" / "small").iterdir()) == ["ledger.sqlite", "lock"]


def test_who_makes_one_that_is_being_made_is_told_so(order, tmp_path):
    folder.Search(tmp_path / "_searches" / "small").path.mkdir(parents=True)
    with folder.Search(tmp_path / "_searches" / "small").lock(), pytest.raises(SearchBusy, match="another process"):
        folder.prepare(order)
