"""Python exports: scripts that write the same report, and run the same study, without the app."""

from pprint import pformat

from engine.config.section import Section
from engine.messages import RunStudy, WriteReport
from gui.export import join_script

STUDY_IMPORTS = (
    "from engine.config import StudyConfig",
    "from engine.messages import RunStudy",
    "from engine.reproduction import job",
)
REPORT_IMPORTS = (
    "from engine.config import DenoiseConfig",
    "from engine.messages import WriteReport",
    "from engine.reports import writer",
)


def report_script(order: WriteReport) -> str:
    """Return a script that writes the same report."""
    given = order.model_dump(exclude_defaults=True, exclude={"settings"})
    lines = [f"    {name}={value!r}," for name, value in given.items()]
    if order.scan:
        lines.append(f"    settings=DenoiseConfig({_list_changes(order.settings)}),")
    imports = REPORT_IMPORTS if order.scan else REPORT_IMPORTS[1:]
    return join_script(
        "request = WriteReport(", *lines, ")", "print(writer.answer_report(request).path)", imports=imports
    )


def study_script(order: RunStudy) -> str:
    """Return a script that runs the same study."""
    return join_script(
        f"chosen = StudyConfig({_list_changes(order.config)})",
        f"settings = {pformat(order.settings, width=100, sort_dicts=False)}",
        'if __name__ == "__main__":',
        f"    content = job.run_study(RunStudy(out={order.out!r}, config=chosen, settings=settings))",
        '    print(content["page"], content["state"])',
        imports=STUDY_IMPORTS,
    )


def _list_changes(config: Section) -> str:
    """Return the values that differ from the defaults, as arguments."""
    return ", ".join(f"{name}={value!r}" for name, value in config.model_dump(exclude_defaults=True).items())
