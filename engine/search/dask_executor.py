"""Trials on the workers of a Dask cluster, each in a process of its own. Imports distributed: import it late.

Events arrive on a Dask topic. The command to a trial is a Dask variable, which its worker polls twice a second, so a
trial that moved to another worker receives it as well. When a worker dies, Dask reschedules its trial, which resumes
from its last epoch: the runs must lie in a folder that all machines share. A search that dies leaves no trial behind,
since the workers learn from Dask that no client waits for it.
"""

import logging
import os
import threading
import warnings
from contextlib import suppress
from typing import Any
from uuid import uuid4

import dask
import distributed
from distributed import Client, Future, Variable

from engine.errors import SearchError
from engine.messages import Continue, Event, Log, Message, Pause, Stop, read_event
from engine.runs import open_run
from engine.search import folder
from engine.search.executor import (
    JOB_QUEUES,
    EventSink,
    LocalExecutor,
    ProcessExited,
    TrialHandle,
    TrialProcess,
    TrialTask,
)

POLL_INTERVAL_S = 0.5
CONNECT_S = 10
COMMANDS: dict[str, Message] = {"run": Continue(), "pause": Pause(), "stop": Stop()}
GO_ON = "Run the same command again to resume."

# ---- on the side of the search -----------------------------------------------------------------------------------


class DaskTrialHandle:
    """Handle on a trial of a cluster, on the side of the search.

    Args:
        client: client of the scheduler.
        task: the trial.
        sink: receives its events.
        topic: the Dask topic on which its worker publishes.
    """

    def __init__(self, client: Client, task: TrialTask, sink: EventSink, topic: str) -> None:
        self.task, self._inbox = task, sink
        self.name = f"engram-{task.run.name}-{uuid4().hex}"
        self.is_killed = self._is_over = self._is_stopping = False
        self._lock = threading.Lock()
        self._begun = 0
        self._command = Variable(self.name, client=client)
        self._command.set("run")
        self.future: Future = client.submit(train_on_worker, task, topic, key=self.name, pure=False)

    def on_message(self, word: str, content: Any) -> None:
        """Handle a message of its worker."""
        if word == "begun":
            self._begun += 1
            if self._begun > 1:
                text = f"The worker of trial {self.task.number} was lost; the trial continues on {content}."
                self.put(Log(text=text, level="warning"))
        elif word == "event":
            self.put(read_event(content))
        elif word == "gone":
            self.put(ProcessExited(*content))

    def put(self, news: Event | ProcessExited) -> None:
        """Pass an event on to the search, and nothing after the exit, which both Dask and a worker may report."""
        with self._lock:
            if not self._is_over:
                self._inbox.put((self.task.number, news))
            self._is_over = self._is_over or isinstance(news, ProcessExited)

    def send(self, message: Message) -> None:
        """Set the command that its worker polls; a stop is final."""
        command = next(word for word, known in COMMANDS.items() if isinstance(message, type(known)))
        if not self._is_stopping:
            with suppress(OSError, RuntimeError):
                self._command.set(command)
        self._is_stopping = self._is_stopping or command == "stop"

    def kill(self) -> None:
        """Cancel it at Dask; its worker then ends the process."""
        self.is_killed = True
        self.future.cancel()

    def close(self) -> None:
        """Release the resources of a trial that has ended."""
        self.future.release()
        with suppress(OSError, RuntimeError):
            self._command.delete()


class DaskExecutor:
    """Executor for trials on a cluster.

    Args:
        where: address of a scheduler; 'local' for a cluster of its own on this machine; or a queueing system, such as
            'slurm', whose jobs are described in Dask's `jobqueue.yaml`.
        count: how many trials run in parallel, which is how many workers it requests.

    Raises:
        SearchError: there is no such cluster.
    """

    def __init__(self, where: str, count: int) -> None:
        _silence_dask()
        self.where, self._topic = where, f"engram-{uuid4().hex}"
        self._handles: dict[str, DaskTrialHandle] = {}
        self._error: SearchError | None = None
        self._own = _own_cluster(where, count)
        try:
            self._client = Client(self._own or where, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            advice = "Start it with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`."
            raise SearchError(f"There is no Dask scheduler at {where} ({error}).", advice) from None
        self._client.subscribe_topic(self._topic, self._on_worker_message)

    def submit(self, task: TrialTask, sink: EventSink) -> TrialHandle:
        """Submit a trial to the cluster."""
        self.check()
        handle = DaskTrialHandle(self._client, task, sink, self._topic)
        self._handles[handle.name] = handle
        handle.future.add_done_callback(lambda future: self._on_done(handle, future))
        if not self._own and not self._client.nthreads():
            handle.put(Log(text=f"The cluster {self.where} has no workers yet; the trial is waiting for one."))
        return handle

    def prewarm(self, backend: str) -> None:
        """Do nothing: a cluster keeps no process ready for the next trial."""

    def check(self) -> None:
        """Check that the scheduler is reachable and that its workers can train.

        Raises:
            SearchError: they are not, or cannot.
        """
        if self._error is not None:
            raise self._error
        if self._client.status != "running":
            raise SearchError(f"The connection to the Dask scheduler at {self.where} was lost.", GO_ON)

    def close(self) -> None:
        """Disconnect, and end the workers that this executor started."""
        for handle in self._handles.values():
            handle.is_killed = True
        self._client.close()
        if self._own is not None:
            self._own.close()

    def _on_worker_message(self, event: tuple[float, tuple[str, str, Any]]) -> None:
        """Handle a worker's message, in the thread of the client."""
        name, word, content = event[1]
        if name in self._handles:
            self._handles[name].on_message(word, content)
            if word == "gone":
                del self._handles[name]

    def _on_done(self, handle: DaskTrialHandle, future: Future) -> None:
        """Handle Dask's report on a trial, in a thread of the client.

        A trial that ended by itself has reported before.
        """
        if future.status == "cancelled" and handle.is_killed:
            handle.put(ProcessExited(-9, ""))
        elif future.status == "error" and isinstance(future.exception(), distributed.KilledWorker):
            handle.put(ProcessExited(-9, "Its workers were lost, one after the other."))
        elif future.status == "error":
            what = f"A worker of {self.where} cannot train trial {handle.task.number}: {future.exception()}"
            self._error = SearchError(what, "Engram and the folder of runs must be the same on all machines.")


def _silence_dask() -> None:
    """Silence Dask's loggers, each of which has its own level; the search reports what matters."""
    for name in [each for each in logging.Logger.manager.loggerDict if each.split(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _own_cluster(where: str, count: int) -> Any:
    """Start a cluster for this search. Returns None if `where` is an address."""
    if where == "local":
        return distributed.LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
    if where not in JOB_QUEUES:
        return None
    import dask_jobqueue

    try:
        with warnings.catch_warnings():
            # Another port for Dask's own pages does not matter.
            warnings.simplefilter("ignore")
            made = getattr(dask_jobqueue, JOB_QUEUES[where])()
    except (ValueError, RuntimeError, OSError) as error:
        advice = f"Define its jobs (cores, memory, walltime) as jobqueue.{where} in ~/.config/dask/jobqueue.yaml."
        why = str(error).partition(", for example")[0]
        raise SearchError(f"Jobs cannot be submitted to {where} ({why}).", advice) from None
    made.scale(jobs=count)
    return made


# ---- on the worker -----------------------------------------------------------------------------------------------


class _WorkerChannel:
    """Sink that publishes the events of a trial's process to the search."""

    def __init__(self, name: str, topic: str) -> None:
        self.name, self.topic = name, topic
        self.is_over = threading.Event()
        self._worker = distributed.get_worker()

    def send(self, word: str, content: Any) -> None:
        """Publish a message to the search."""
        self._worker.log_event(self.topic, (self.name, word, content))

    def put(self, item: tuple[int, Event | ProcessExited]) -> None:
        """Publish an event of the process."""
        news = item[1]
        if isinstance(news, ProcessExited):
            self.send("gone", (news.code, news.last_line))
            self.is_over.set()
        else:
            self.send("event", news.to_json_line())

    def is_wanted(self) -> bool:
        """Return whether the search still waits for this trial."""
        known = self._worker.state.tasks.get(self.name)
        return known is not None and known.state in ("executing", "long-running")


def train_on_worker(task: TrialTask, topic: str) -> None:
    """Train a trial in a process of its own, on the worker that Dask gave it.

    Args:
        task: the trial.
        topic: the Dask topic on which the search listens.

    Raises:
        RunNotFound: its run is not visible from this machine.
    """
    outbox = _WorkerChannel(distributed.get_worker().get_current_task(), topic)
    run = open_run(task.run.path)
    outbox.send("begun", distributed.get_worker().address)
    ended = folder.find_last_job_end(run)
    # An earlier worker completed it, and the report was lost with that worker.
    if ended is not None:
        outbox.put((task.number, ended))
        outbox.put((task.number, ProcessExited(0, "")))
        return
    _forget_limits()
    process = LocalExecutor(task.log.parent, prewarm=False).submit(task, outbox)
    try:
        _relay_commands(process, outbox)
    finally:
        process.kill()
        process.close()


def _relay_commands(process: TrialProcess, outbox: _WorkerChannel) -> None:
    """Pass the commands of the search on, until the process has ended or no search waits for it."""
    command, last_sent = Variable(outbox.name, client=distributed.get_client()), "run"
    while not outbox.is_over.wait(POLL_INTERVAL_S) and outbox.is_wanted():
        latest = command.get(timeout=CONNECT_S)
        if latest != last_sent:
            process.send(COMMANDS[latest])
        last_sent = latest


def _forget_limits() -> None:
    """Undo the environment that Dask sets for its own workers: the settings of a trial limit its CPU threads."""
    for name, value in dask.config.get("distributed.nanny.pre-spawn-environ", {}).items():
        if os.environ.get(name) == str(value):
            del os.environ[name]
