"""The full study: a search over each of its two spaces, like any other search, in the study's folder of runs."""

from collections.abc import Mapping

from engine.errors import ConfigError, SearchError, StudyError
from engine.messages import Emit
from engine.messages import Search as Order
from engine.reproduction.preset_runs import ADVICE, OTHER, ProgressRelay
from engine.reproduction.trials import SearchSummary, StudyRun, from_trial
from engine.runs import Run
from engine.search import folder, job, search_spec
from engine.search.folder import SearchFolder
from engine.search.job import StopAndPause
from engine.search.search_spec import SearchSpec
from engine.search.storage import Trial as Row
from engine.study_folder import StudyFolder


class SearchRuns:
    """Source of the runs of a full study; an existing search, started here or by `search`, is resumed.

    Args:
        study: its folder.
        orders: a search for each model.
        given: the settings that were given and are therefore not searched.
    """

    def __init__(self, study: StudyFolder, orders: Mapping[str, Order], given: Mapping[str, object]) -> None:
        self.study, self.given = study, given
        self.orders = {model: self._continuation(order) for model, order in orders.items()}

    @property
    def count(self) -> int:
        """Return the number of runs; a space may have fewer points than the requested trials."""
        return sum(map(self._count, self.orders))

    @property
    def searches(self) -> dict[str, SearchSummary]:
        """Return the searches so far, by model."""
        found = {model: self._read(model) for model in self.orders}
        return {
            model: SearchSummary(
                read[0].space, read[0].settings, [(row.config, row.score) for row in read[1] if row.score]
            )
            for model, read in found.items()
            if read
        }

    def check(self) -> None:
        """Check that the folder holds no other study.

        Raises:
            StudyError: it holds a search with other settings.
        """
        for model, order in self.orders.items():
            search = self._search(model)
            if search is None:
                continue
            try:
                with search.open_storage() as ledger:
                    space = search_spec.merge_command(ledger, order).space
            except (ConfigError, SearchError) as error:
                raise StudyError(f"{OTHER.format(self.study.path, f'search {model}')} {error.what}", ADVICE) from None
            if varied := sorted(set(space.names) & (self.given.keys() | {"model"})):
                raise StudyError(f"'{varied[0]}' varies in the search {model} of {self.study.path}.", ADVICE)

    def trials(self) -> list[StudyRun]:
        """Return the trials so far."""
        found = []
        for model in self.orders:
            read = self._read(model)
            for row in read[1] if read else ():
                run = Run(self.study.runs / row.run)
                if row.run and run.path.is_dir():
                    found.append(from_trial(row, run))
        return found

    def train(self, emit: Emit, control: StopAndPause) -> bool:
        """Run both searches. Returns False if stopped."""
        follower, done = ProgressRelay(emit, self.count), 0
        for model, order in self.orders.items():
            follower.begin(done)
            job.search(order, emit=follower, should_stop=control.should_stop, is_paused=control.is_paused)
            if follower.ended == "stopped" or control.should_stop():
                return False
            done += self._count(model)
        return True

    def _continuation(self, order: Order) -> Order:
        """Return the command that resumes an existing search, which keeps its space and its search settings."""
        if self._search(order.name) is None:
            return order
        kept = {name: value for name, value in order.settings.items() if name == "trials" or name in self.given}
        return order.model_copy(update={"space": None, "settings": kept})

    def _search(self, model: str) -> SearchFolder | None:
        return next((each for each in folder.list_searches(self.study.runs) if each.name == model), None)

    def _read(self, model: str) -> tuple[SearchSpec, list[Row]] | None:
        search = self._search(model)
        if search is None:
            return None
        with search.open_storage() as ledger:
            return search_spec.spec_from_attrs(ledger), ledger.trials()

    def _count(self, model: str) -> int:
        read, wanted = self._read(model), self.orders[model].settings["trials"]
        if read is None:
            size = folder.spec_of_command(self.orders[model]).space.size()
            return wanted if size is None else min(wanted, size)
        plan, rows = read
        size = plan.space.size()
        return max(len(rows), wanted if size is None else min(wanted, size))
