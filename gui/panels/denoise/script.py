"""Python export: a script that computes and measures the same images without the app."""

from gui.export import join_script
from gui.panels.denoise.case import Methods, Noise
from gui.selection import ImageRef
from gui.widgets.region.region import Region

MEASURED = "metrics.psnr_db(originals, images), metrics.ssim(originals, images)"


def denoise_script(case: ImageRef, data: str, noise: Noise, methods: Methods, lesion: tuple[Region | None, int]) -> str:
    """Return a script that adds noise to an image and denoises it; `data` is the code of the dataset config."""
    region, rim_px = lesion
    lines = [f"data = {data}"]
    if case.opened is not None:
        lines += [
            f"scan = engine.data.open_scan({case.opened.path!r})",
            f"originals = engine.data.prepare(scan, data, {case.opened.slice})[None, ..., None]",
        ]
    else:
        lines.append(f"originals = engine.data.load(config=data).splits[{case.split!r}].read([{case.index}])")
    lines += [
        f"noisy = noise.add_noise(originals, {noise.kind!r}, {noise.sigma}, seed={noise.seed})",
        "made = {'noisy': noisy}",
    ]
    if methods.runs:
        lines += [
            f"for path in {list(methods.runs)}:",
            "    made[path] = scoring.reconstruct(evaluation.load_model(engine.runs.open_run(path)), noisy)",
        ]
    lines += [
        f"for name in {[key for key in methods.filters if key != 'pca']}:",
        "    made[name] = baselines.get_denoiser(name)(noisy)",
    ]
    if region is not None:
        lines.append(f"mask = {_mask(region)}")
    lines += ["for name, images in made.items():", f"    print(name, {MEASURED})"]
    if region is not None:
        kept = f"lesions.retention(originals[0, ..., 0], images[0, ..., 0], mask, rim={rim_px})"
        lines.append(f"    print('    lesion contrast retained', *{kept})")
    names = "evaluation, lesions, metrics, noise"
    return join_script(
        *lines,
        imports=(
            "import engine",
            f"from engine import {names}",
            "from engine.denoising import baselines",
            "from engine.evaluation import scoring",
        ),
    )


def _mask(region: Region) -> str:
    """Return the region as Python code, in pixels of the prepared image, (side, side)."""
    if region.kind == "polygon":
        corners = ", ".join(f"({x:.4f} * data.size, {y:.4f} * data.size)" for x, y in region.points)
        return f"lesions.polygon((data.size, data.size), [{corners}])"
    left, top, right, bottom = region.box
    box = ", ".join(f"{value:.4f} * data.size" for value in (left, top, right - left, bottom - top))
    return f"lesions.{region.kind}((data.size, data.size), {box})"
