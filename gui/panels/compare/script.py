"""Python export: a script that computes and measures the same images without the app."""

from gui.export import join_script
from gui.panels.compare.comparison import BASELINE, is_baseline
from gui.panels.compare.controller import CompareController

MEASURED = "metrics.psnr_db(originals, reconstructed), metrics.ssim(originals, reconstructed)"


def compare_script(gallery: CompareController, data: str) -> str:
    """Return a script that reconstructs and measures the shown images; `data` is the code of the dataset config."""
    refs = [each.ref for each in gallery.compared]
    runs = [ref for ref in refs if not is_baseline(ref)]
    maps = [int(ref.removeprefix(BASELINE)) for ref in refs if is_baseline(ref)]
    lines = [f"images = engine.data.load(config={data})"] if maps or gallery.scan is None else []
    if gallery.scan is not None:
        lines += [
            f"scan = engine.data.open_scan({gallery.scan.path!r})",
            f"image = engine.data.prepare(scan, {data}, {gallery.scan.slice})",
            "originals = image[None, ..., None]",
        ]
    else:
        lines.append(f"originals = images.splits[{gallery.split!r}].read({list(gallery.pages.indices)})")
    if runs:
        lines += [
            f"for path in {runs}:",
            "    model = evaluation.load_model(engine.runs.open_run(path))",
            "    reconstructed = scoring.reconstruct(model, originals)",
            f"    print(path, {MEASURED})",
        ]
    if maps:
        lines += [
            f"for components in {maps}:",
            "    reconstructed = references.fit_pca_reference(images, components).predict_on_batch(originals)",
            f"    print('PCA', components, {MEASURED})",
        ]
    measures = ("from engine.evaluation import references",) if maps else ()
    return join_script(
        *lines,
        imports=(
            "import engine",
            "from engine import evaluation, metrics",
            "from engine.evaluation import scoring",
            *measures,
        ),
    )
