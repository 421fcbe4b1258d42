"""Python export: a script that computes, measures and saves the same images without the app."""

from gui.export import join_script, read_images
from gui.panels.denoise.case import Methods, Noise
from gui.selection import ImageRef
from gui.widgets.region.region import Region

MEASURED = "metrics.psnr_db(originals, images), metrics.ssim(originals, images)"


def denoise_script(case: ImageRef, data: str, noise: Noise, methods: Methods, lesion: tuple[Region | None, int]) -> str:
    """Return a script that adds noise to an image, denoises it, measures, and saves each image as a PNG file.

    Args:
        case: the image.
        data: the code of the dataset config.
        noise: what is added.
        methods: the runs and the filters.
        lesion: the region, None if there is none, and the width of the ring around it in pixels.
    """
    region, rim_px = lesion
    opened = (case.opened.path, case.opened.slice) if case.opened else None
    kind, sigma, seed = noise.fields().values()
    given = f"{kind!r}, {sigma}, seed={seed}"
    lines = [
        f"data = {data}",
        *read_images((case.split, [case.index]), opened),
        "originals = read(data.size)",
        f"noisy = noise.add_noise(originals, {given})",
        "made = {'noisy': (originals, noisy)}",
    ]
    if methods.runs:
        lines += [
            f"for path in {list(methods.runs)}:",
            "    run = engine.runs.open_run(path)",
            "    shown = read(run.config.data.size)",
            f"    output = engine.reconstruct(engine.load_model(run), noise.add_noise(shown, {given}))",
            "    made[run.name] = shown, output",
        ]
    filters = [key for key in methods.filters if key != "pca"]
    if filters:
        lines += [
            f"for name in {filters}:",
            "    made[name] = originals, baselines.get_denoiser(name)(noisy)",
        ]
    if "pca" in methods.filters:
        lines += [
            f"linear = references.fit_pca_reference(engine.data.load(config=data), {methods.components})",
            "made['pca'] = originals, linear.predict_on_batch(noisy)",
        ]
    lines += [
        "for name, (originals, images) in made.items():",
        f"    print(name, {MEASURED})",
        "    plain.save_values(images[0, ..., 0], f'{name}.png')",
    ]
    if region is not None:
        kept = f"lesions.retention(originals[0, ..., 0], images[0, ..., 0], mask, rim={rim_px})"
        lines += [
            "    side = images.shape[1]",
            f"    mask = {_mask(region)}",
            f"    print('    lesion contrast retained', *{kept})",
        ]
    more = ["from engine.evaluation import references"] if "pca" in methods.filters else []
    imports = ("import engine", "from engine import lesions, metrics, noise", "from engine.denoising import baselines")
    return join_script(*lines, imports=(*imports, *more, "from engine.figures import plain"))


def _mask(region: Region) -> str:
    """Return the region as Python code, in pixels of the prepared image, (side, side)."""
    if region.kind == "polygon":
        corners = ", ".join(f"({x!r} * side, {y!r} * side)" for x, y in region.points)
        return f"lesions.polygon((side, side), [{corners}])"
    left, top, right, bottom = region.box
    box = ", ".join(f"{value!r} * side" for value in (left, top, right - left, bottom - top))
    return f"lesions.{region.kind}((side, side), {box})"
