"""The house rules as functions: each takes one parsed source file and yields what breaks the rule, as sentences.

`tests/test_house.py` runs them over the tree, and each over a planted breach.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

QT = {"PySide6", "shiboken6", "pyqtgraph"}
FRAMEWORKS = {"keras", "keras_tuner", "tensorflow", "torch", "jax", "wandb"}
STANDARD = set(sys.stdlib_module_names)

GROUND_FLOOR = {
    *("engine.archives", "engine.arrays", "engine.child_process", "engine.durable", "engine.errors", "engine.folders"),
    *("engine.colors", "engine.formatting", "engine.job_context", "engine.lru_cache"),
    "engine.protocols",
    "engine.run_damage",
    *("engine.config", "engine.messages", "engine.runs"),
}
GROUND_FLOOR_PACKAGES = {"numpy", "pydantic", "filelock"}  # filelock: a run's lock must hold on Windows too
WIDGET_PACKAGES = {
    "PySide6",
    "pyqtgraph",
    "numpy",
    "gui.formatting",
    "gui.widgets",
    "gui.palette",
    "gui.pixmaps",
    "gui.theme",
}
DATA_PACKAGES = {
    *("numpy", "pydantic", "skimage", "PIL", "pydicom", "nibabel", "SimpleITK", "highdicom", "gdcm"),
    *("datasets", "huggingface_hub", "pyarrow", "yaml"),
}

# What starts a process, with the file whose helper does so for all others.
CHILD = "engine/child_process.py"
STARTERS = {
    **dict.fromkeys((f"subprocess.{name}" for name in ("Popen", "run", "call", "check_call", "check_output")), CHILD),
    **dict.fromkeys(("os.fork", "os.system", "os.popen", "multiprocessing.Process", "Process"), CHILD),
    "QProcess": "gui/engine_process.py",
}

# The imports that may stand inside a function, each file with the reason that no other place would do.
LATE_IMPORTS = {
    # `import engine` is quick: a name of the public API is imported when it is first asked for.
    "engine/__init__.py": {"computed"},
    "engine/data/__init__.py": {"computed"},
    # A process that parses files imports the reader that it is asked for, and no other.
    "engine/data/parser_process.py": {"computed"},
    # Ctrl-C is handled before anything is imported.
    "engine/__main__.py": {"computed"},
    # `--help` is quick: a command is imported when it is given.
    "engine/cli/__init__.py": {"computed"},
    "engine/cli/parser.py": {"computed"},
    # The engine does not depend on the window; the command that opens it does.
    "engine/cli/app.py": {"gui.launch"},
    # `--help` is quick: only a progress bar on a terminal needs rich.
    "engine/cli/console.py": {"rich", "rich.console"},
    # The backend must be chosen before Keras is imported, and only the chosen one is imported.
    "engine/backend.py": {"computed", "keras", "tensorflow", "torch", "jax"},
    "engine/models/train_steps.py": {"tensorflow", "torch", "jax", "engine.models"},
    "engine/models/optimizer.py": {"tensorflow"},
    "engine/analysis/layers.py": {"torch"},
    "engine/analysis/gradients.py": {"tensorflow", "torch", "jax"},
    # Only one of the two is wanted, and umap-learn is an extra.
    "engine/latent/embedding_child.py": {"sklearn.manifold", "umap"},
    # An engine process stands before scikit-learn is imported, a second's work.
    "engine/pca.py": {"sklearn.decomposition"},
    "engine/latent/mixture.py": {"sklearn.mixture"},
    # The Hugging Face library takes a second to import, pydicom a fifth of one, and only their own sources need them;
    # the audit's modules, one of which estimates patients, import this one.
    "engine/data/loading.py": {"engine.data.folder", "engine.data.huggingface", "engine.data.audit.look_alikes"},
    # The explorer stands before pydicom is imported, which only the processes that read headers need.
    "engine/data/patient_names.py": {"pydicom", "engine.data.dicom_header"},
    # nibabel takes half a second to import and only volumes need it.
    "engine/data/volumes.py": {"engine.data"},
    "engine/explorer/volume_handlers.py": {"engine.evaluation.volume"},
    # matplotlib takes a second to import, and only a figure needs it.
    "engine/explorer/denoise_handlers.py": {"engine.figures"},
    "engine/explorer/figure_handlers.py": {"engine.figures"},
    # The process stands before matplotlib is imported, a second's work, and only a study needs it.
    "engine/processes/training_worker.py": {"engine.reproduction.job"},
    "engine/processes/explorer_worker.py": {"engine.reports.writer"},
    "engine/data/dicom_mosaic.py": {"nibabel.nicom"},
    # GDCM is an extra.
    "engine/data/dicom_pixels.py": {"gdcm"},
    # SimpleITK is an extra.
    "engine/data/research_volumes.py": {"SimpleITK"},
    # highdicom is an extra.
    "engine/data/dicom_writer.py": {"highdicom", "highdicom.base"},
    # Dask is an extra: only a search on a cluster needs it, and only one on a queueing system needs the jobs.
    "engine/search/trial_pool.py": {"engine.search.dask_executor"},
    "engine/search/dask_executor.py": {"dask_jobqueue"},
    # The window stands before its panels are imported, and a panel that no one looks at costs no time.
    "gui/shell.py": {"computed"},
    # Qt ends the process where no display answers, and cannot be imported where its libraries are missing.
    "gui/launch.py": {"gui.app"},
    # The explorer starts before the modules of the window, and the messages between the two, are imported.
    "gui/app.py": {
        *("engine", "engine.config", "gui", "gui.main_window", "gui.opened_files", "gui.panel", "gui.preferences"),
        "gui.session",
        "computed",
    },
    "gui/engine_process.py": {"engine.messages"},
    # The window stands before the phantoms and Pillow are imported, which only a lesson needs.
    "gui/help/experiments.py": {"engine.data.phantom", "engine.lesions"},
}

FUNCTION_LINES, FUNCTION_LINES_MOST = 25, 50
FILE_LINES, FILE_LINES_MOST = 300, 400
CLASS_LINES, CLASS_METHODS, MAIN_WINDOW_LINES = 300, 25, 150
WITHIN = 0.9

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|not implemented|coming soon)\b", re.IGNORECASE)
PROPERTY_VERB = re.compile(r"(Return|Compute|Load|Read|Draw)\b")
EXCUSED_BUDGET = re.compile(r"#\s*noqa(?!:)|#\s*noqa:.*\b(C901|PLR09\d\d|BLE001|T20\d|E722|PLC0415)\b")
NO_VERB = re.compile(r"(A|An|The|What|Where|Which|Whether|When|Why|Who|How|One|All|Some|Each|Those|That)\b")
FOREIGN = re.compile(r"://[^ ]*/simple\b|://files[.]|://registry[.]|(?<![\w.])/wor[k]/")


@dataclass(frozen=True)
class Source:
    """One source file: its path in the checkout and its text."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        """The dotted name under which the file is imported."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return len(self.text.splitlines())

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def nodes(self, *kinds: type[ast.AST]) -> Iterator:
        """Every node of these kinds."""
        return (node for node in self._nodes if isinstance(node, kinds))

    def at(self, node: ast.AST) -> str:
        """The place of a node, for a sentence."""
        return f"{self.path}:{node.lineno}"

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Every import, late ones included, as (statement, dotted name)."""
        for node in self.nodes(ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        for node in self.nodes(ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def functions(source: Source) -> Iterator[tuple[ast.FunctionDef, int]]:
    """Every function with the lines of its body, docstring not counted."""
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        body = node.body[1:] if ast.get_docstring(node) else node.body
        yield node, body[-1].end_lineno - body[0].lineno + 1 if body else 0


def mostly_within(budget: int, sizes: list[int]) -> bool:
    """The rule of nine in ten."""
    return sum(size <= budget for size in sizes) >= WITHIN * len(sizes)


def long_functions(source: Source) -> Iterator[str]:
    for node, lines in functions(source):
        if lines > FUNCTION_LINES_MOST:
            yield f"{source.at(node)} {node.name}: a body of {lines} lines"


def long_files(source: Source) -> Iterator[str]:
    if source.lines > FILE_LINES_MOST:
        yield f"{source.path}: {source.lines} lines"


def large_classes(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.ClassDef):
        lines = node.end_lineno - node.lineno + 1
        methods = sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body)
        budget = MAIN_WINDOW_LINES if node.name == "MainWindow" else CLASS_LINES
        if lines > budget or methods > CLASS_METHODS:
            yield f"{source.at(node)} class {node.name}: {lines} lines, {methods} methods"


def many_arguments(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        count = sum(argument.arg not in {"self", "cls"} for argument in arguments)
        if count > 5:
            yield f"{source.at(node)} {node.name}: {count} arguments"


def untyped_arguments(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            if argument.annotation is None and argument.arg not in {"self", "cls"}:
                yield f"{source.at(node)} {node.name}: {argument.arg} has no type"


def prints(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{source.at(node)} prints"


def blind_excepts(source: Source) -> Iterator[str]:
    """Catching everything is for handlers that raise again."""
    for node in source.nodes(ast.ExceptHandler):
        caught = ast.unparse(node.type) if node.type else "BaseException"
        blind = {"Exception", "BaseException"} & set(re.findall(r"\w+", caught))
        if blind and not isinstance(node.body[-1], ast.Raise):
            yield f"{source.at(node)} catches {caught}"


def vague_names(source: Source) -> Iterator[str]:
    for part in source.path.with_suffix("").parts:
        if VAGUE_NAMES & set(part.split("_")):
            yield f"{source.path}: the name {part} says nothing"


def unfinished(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{source.path}:{number} is unfinished: {line.strip()}"


def excused_budgets(source: Source) -> Iterator[str]:
    """A budget is kept, not silenced."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if EXCUSED_BUDGET.search(line):
            yield f"{source.path}:{number} silences a house rule: {line.strip()}"


def docstrings_without_a_verb(source: Source) -> Iterator[str]:
    """A function's docstring begins with an imperative verb; Ruff's D401 overlooks properties."""
    for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        docstring = ast.get_docstring(node) or ""
        is_property = any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
        if NO_VERB.match(docstring) or (docstring and is_property and not PROPERTY_VERB.match(docstring)):
            yield f"{source.at(node)} {node.name}: a docstring that begins with '{docstring.split()[0]}'"


def late_imports(source: Source) -> Iterator[str]:
    """Imports inside functions, by statement or by `import_module`."""
    allowed = LATE_IMPORTS.get(source.path.as_posix(), set())
    for function, _ in functions(source):
        for node in ast.walk(function):
            strange = _imported(node) - allowed
            if strange:
                yield f"{source.at(node)} imports {', '.join(sorted(strange))} inside {function.name}"


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {str(node.module)}
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"import_module", "__import__"}:
        name = node.args[0]
        return {str(name.value) if isinstance(name, ast.Constant) else "computed"}
    return set()


def stray_processes(source: Source) -> Iterator[str]:
    """A process that is started beside the one helper of the engine, or that of the window."""
    for node in source.nodes(ast.Call):
        started = ast.unparse(node.func)
        if started in STARTERS and source.path != Path(STARTERS[started]):
            yield f"{source.at(node)} {started}"


def relative_imports(source: Source) -> Iterator[str]:
    for node in source.nodes(ast.ImportFrom):
        if node.level:
            yield f"{source.at(node)} a relative import"


def wall_crossings(source: Source) -> Iterator[str]:
    """Who may import whom, file by file; the import contracts see the indirect ways."""
    for node, name in source.imports():
        top = name.split(".")[0]
        if _crosses(source.module, name, top):
            yield f"{source.at(node)} {source.module} imports {name}"


def _crosses(module: str, name: str, top: str) -> bool:
    room = module.split(".")[0]
    if room == "engine" and top in QT | {"gui"}:
        return True
    if room == "gui" and top in FRAMEWORKS:
        return True
    if _allowed(module, GROUND_FLOOR):
        return not _allowed(name, STANDARD | GROUND_FLOOR_PACKAGES | GROUND_FLOOR)
    if module.startswith("engine.data"):
        return not _allowed(name, STANDARD | DATA_PACKAGES | GROUND_FLOOR | {"engine.data"})
    if module.startswith("gui.widgets"):
        return not _allowed(name, STANDARD | WIDGET_PACKAGES)
    return False


def _allowed(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def foreign_places(path: Path, text: str) -> Iterator[str]:
    """A package registry's host or a path of a private machine, in any text of the tree."""
    for number, line in enumerate(text.splitlines(), 1):
        if FOREIGN.search(line):
            yield f"{path}:{number} names a registry or a machine: {line.strip()[:80]}"
