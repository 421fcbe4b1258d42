"""Python export: a script that computes, measures and saves the same images without the app."""

from gui.export import join_script, read_images
from gui.panels.compare.comparison import BASELINE, is_baseline
from gui.panels.compare.controller import CompareController

MEASURED = "metrics.psnr_db(originals, reconstructed), metrics.ssim(originals, reconstructed)"
SAVED = "plain.save_values(image[..., 0], f'{name}-{at + 1}.png')"


def compare_script(gallery: CompareController, data: str) -> str:
    """Return a script that reconstructs the shown images, measures them, and saves each as a PNG file.

    Args:
        gallery: what is shown.
        data: the code of the dataset config.
    """
    refs = [each.ref for each in gallery.compared]
    runs = [ref for ref in refs if not is_baseline(ref)]
    maps = [int(ref.removeprefix(BASELINE)) for ref in refs if is_baseline(ref)]
    places = (gallery.split, list(gallery.pages.indices))
    opened = (gallery.scan.path, gallery.scan.slice) if gallery.scan else None
    lines = [f"data = {data}", *read_images(places, opened), "made = {}"]
    if runs:
        lines += [
            f"for path in {runs}:",
            "    run = engine.runs.open_run(path)",
            "    originals = read(run.config.data.size)",
            "    made[run.name] = originals, engine.reconstruct(engine.load_model(run), originals)",
        ]
    if maps:
        lines += [
            "images, originals = engine.data.load(config=data), read(data.size)",
            f"for components in {maps}:",
            "    linear = references.fit_pca_reference(images, components)",
            "    made[f'PCA-{components}'] = originals, linear.predict_on_batch(originals)",
        ]
    lines += [
        "for name, (originals, reconstructed) in made.items():",
        f"    print(name, {MEASURED})",
        "    for at, image in enumerate(reconstructed):",
        f"        {SAVED}",
    ]
    baselines = ("from engine.evaluation import references",) if maps else ()
    return join_script(
        *lines, imports=("import engine", "from engine import metrics", *baselines, "from engine.figures import plain")
    )
