"""Reports on runs, one image and a search: what stands in them, as a page and as PDF, and what does not."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from reportlab.pdfgen.textobject import PDFTextObject

from engine import cli, colors, evaluation, lesions, runs
from engine.config import RunConfig
from engine.errors import ConfigError
from engine.evaluation import scoring
from engine.figures import base
from engine.lesions.box_formats import FoundBoxes, LesionOutline
from engine.messages.figures import WriteReport
from engine.reports import pdf, run_report, write_report
from engine.reports.document import CodeBlock, FigureBlock, Report, ReportSection, TableBlock, to_html
from engine.reports.writer import answer_report
from engine.reproduction import page

pytestmark = pytest.mark.usefixtures("loaded_once")

PLANTED = "PLANTED^WILHELMINA"


@pytest.fixture
def drawn(monkeypatch):
    """Return the texts that are drawn on the pages of a PDF, whose fonts hold only the letters that occur."""
    texts, show = [], PDFTextObject._formatText
    monkeypatch.setattr(
        PDFTextObject, "_formatText", lambda self, text, *more: (texts.append(text), show(self, text, *more))[1]
    )
    return texts


def report():
    figure = Figure((8, 3), facecolor=colors.CARD)
    figure.add_subplot().plot([1, 2], color=colors.SERIES[0])
    wide = TableBlock(["run", *"abcdefghij"], [["<ae>", *map(str, range(10))]])
    return Report(
        "One & two",
        "A lead.",
        [ReportSection("First", ["Careful.", wide, FigureBlock(figure, "A line."), CodeBlock(["engram runs"])], True)],
    )


def test_report_is_a_page_or_a_pdf_by_its_suffix(tmp_path, drawn):
    for name in ("a.html", "a.PDF"):
        write_report(report(), tmp_path / name)
    html, content = (tmp_path / "a.html").read_text("utf-8"), (tmp_path / "a.PDF").read_bytes()
    assert "One &amp; two" in html
    assert "&lt;ae&gt;" in html
    assert content.startswith(b"%PDF")
    said = " ".join(drawn)
    for text in ("One & two", "Careful.", "< ae >", "A line.", "engram runs", "Not for diagnosis.", "Page 1"):
        assert text in said, text
    assert pdf.to_pdf(report()) == content
    with pytest.raises(ConfigError, match=r"Let it end with \.html or \.pdf"):
        write_report(report(), tmp_path / "a.docx")


def test_figure_is_light_on_paper_and_as_before_on_the_page():
    (section,) = report().sections
    figure = section.blocks[2].figure
    before = base.png(figure)
    with base.light(figure):
        assert figure.get_facecolor()[:3] == (1.0, 1.0, 1.0)
        assert base.png(figure) != before
    assert base.png(figure) == before


def test_report_on_runs_has_their_audit_baselines_lesions_and_no_path(trained, tmp_path, monkeypatch):
    runs = [trained(epochs=1), trained("vae", epochs=1)]
    monkeypatch.setattr(run_report, "load_boxes", lambda images, names, table: boxes_for(names))
    found = run_report.examine_runs(runs)
    assert [each.run.name for each in found[0].examined] == [run.name for run in runs]
    told = run_report.describe_runs(found, "Both", "", [])
    html = to_html(told)
    for text in (
        "Exact copies",
        "Fingerprint of the images",
        "PCA-8",
        "mean image",
        "deduplicated test images",
        "seed",
    ):
        assert text in html, text
    assert [each.title for each in told.sections][:2] == ["Read first", "Summary"]
    assert str(tmp_path) not in html
    assert "contrast retained (%)" in html
    (lesion,) = (each for each in told.sections if each.title == "Lesions")
    assert len(lesion.blocks[0].rows) == 2


def test_report_on_a_denoiser_says_that_it_was_given_noise_and_shows_what_it_made_of_it(trained):
    run = trained(epochs=1, noise="gaussian", noise_low=0.2, noise_high=0.2)
    (found,) = run_report.examine_runs([run])
    html = to_html(run_report.describe_runs([found], "Denoiser", "", []))
    assert "test images, with added gaussian noise of level 0.2 to 0.2: PSNR" in html
    originals = found.images.splits[found.split].read(np.asarray(found.shown))
    plain = scoring.reconstruct(evaluation.load_model(run), originals)
    assert not np.allclose(found.examined[0].reconstructed, plain)


def boxes_for(names):
    box = (0.4, 0.05, 0.2, 0.3)  # across the edge of the head
    outline = LesionOutline(np.ones((4, 4), np.bool_), 1.0)
    return lesions.make_boxes(FoundBoxes({name: [box] for name in names}, [], {(name, box): outline for name in names}))


def test_report_on_one_image_has_numbers_and_warnings_but_no_name(trained, tmp_path, capsys):
    run, image = trained(epochs=1), tmp_path / f"{PLANTED}.png"
    pixels = np.random.default_rng(0).integers(30, 90, (40, 40), dtype=np.uint8)
    pixels[15:24, 15:24] = 250
    Image.fromarray(pixels).save(image)
    page = tmp_path / "case.html"
    words = ["report", run.path, "--image", image, "--roi", "12,12,7,7", "--sigma", "0.05", "--against", "tv"]
    assert cli.main([str(word) for word in (*words, "--out", page, "--json")]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(page)}
    html = page.read_text("utf-8")
    assert PLANTED not in html
    assert "is worse than no denoising" in html, "the warning on the model"
    assert "The marked region has" in html
    for text in ("contrast retained (%)", "Total variation", "σ = 0.05", "--roi 12,12,7,7", run.name):
        assert text in html, text
    assert (
        cli.main([str(word) for word in ("report", run.path, "--image", image, "--noise", "none", "--out", page)]) == 0
    )
    html = page.read_text("utf-8")
    assert "The image is noisy already. Estimated noise at 32 × 32 px" in html
    assert "noise in an image of this size" in html or "Too few pixels" in html
    assert "There is no noise-free reference" in html
    assert "PSNR (dB)" not in html
    assert "contrast retained (%)" not in html, "no lesion was marked"


def test_nothing_to_report_on_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="nothing to report on"):
        answer_report(WriteReport(panel="report", path=str(tmp_path / "a.pdf")))


def test_settings_of_a_report_name_no_path(tmp_path):
    data = {"source": str(tmp_path / "clinic"), "groups": str(tmp_path / "table.csv")}
    run = runs.create_run(RunConfig(data=data), "one", tmp_path)
    dataset = SimpleNamespace(examined=[SimpleNamespace(run=run, title="one")])
    cells = [row[1] for row in run_report._list_settings([dataset]).rows]
    assert {"clinic", "table.csv"} < set(cells)
    assert str(tmp_path) not in "".join(cells)
    options = [page._option(name, value) for name, value in data.items()]
    assert options == [["--data", "clinic"], ["--groups", "table.csv"]]
