"""Commands of the program: what each is for, examples, and where its options and its function are.

Strings alone, so that `engram --help` is quick: a command's modules are imported when it is given.
"""

from dataclasses import dataclass
from typing import Final

from engine.cli.program import quote


@dataclass(frozen=True)
class CommandSpec:
    """One command.

    Args:
        summary: what it does, for the list of commands.
        options: module of `engine.cli` and the function that adds its options, 'module.function'; empty if it has none.
        examples: what a user types after the program's name.
        run: module of `engine.cli`, or 'module.function', that runs it; empty: a module of its own name.
        details: what it does, for its own help; empty if its options say so.
    """

    summary: str
    options: str
    examples: tuple[str, ...]
    run: str = ""
    details: str = ""


SPACE: Final = quote('{"learning_rate": 0.0003, "latent": 512}')
COMMANDS: Final = {
    "app": CommandSpec("open the app", "app.add_app", ("app", "app ~/scans", "app --install-shortcut")),
    "train": CommandSpec(
        "train a model and save it as a run",
        "job_options.add_train",
        (
            "train --data phantom --preset study-ae --run first-ae",
            "train --data ~/scans --model vae --latent 256 --size 96 --epochs 20 --learning-rate 1e-3",
            "train --data hf:benschill/brain-tumor-collection --download --preset study-vae",
            "train --config first-ae --seed 1 --run second-ae",
        ),
        details="Train a model and save it as a run.",
    ),
    "resume": CommandSpec(
        "resume a stopped run, or extend it (--epochs)",
        "job_options.add_resume",
        ("resume first-ae", "resume first-ae --epochs 60", "resume first-ae --backend torch"),
        "train.resume",
        details="Resume a stopped or crashed run from its last complete epoch, or extend it to more epochs.",
    ),
    "search": CommandSpec(
        "search for settings, each trial saved as a run",
        "job_options.add_search",
        (
            "search --preset study-ae --data ~/scans --trials 17 --name ae",
            "search --name ae --trials 30",
            "search --data phantom --size 32 --space space.json --algorithm random --trials 10 --name small",
        ),
        details="Search for settings, each trial saved as a run. It resumes after a stop or crash.",
    ),
    "trials": CommandSpec(
        "list the trials of a search, or control it",
        "job_options.add_trials",
        ("trials ae --json", "trials ae --pause", f"trials ae --enqueue {SPACE}"),
        details="List the trials of a search, or control it while it runs.",
    ),
    "runs": CommandSpec(
        "list the runs; show, rename or delete one",
        "run_options.add_runs",
        ("runs", "runs show first-ae", "runs rename ae-0001 first-ae", "runs delete ae-0002 ae-0003 --yes"),
    ),
    "evaluate": CommandSpec(
        "evaluate a model against baselines on each split",
        "run_options.add_evaluate",
        ("evaluate first-ae", "evaluate first-ae --split test_clean --json"),
        details="Evaluate a model against baselines (PCA, mean image, noisy input) on each split, with leaked test "
        "images separated.",
    ),
    "audit": CommandSpec(
        "find duplicates between training and test images",
        "run_options.add_audit",
        ("audit ~/scans", "audit hf:benschill/brain-tumor-collection --download --json"),
    ),
    "parity": CommandSpec(
        "compare a model's layers on the three backends", "run_options.add_parity", ("parity first-ae",)
    ),
    "reconstruct": CommandSpec(
        "reconstruct images or volumes with a model",
        "run_options.add_reconstruct",
        (
            "reconstruct first-ae head.png --out pictures --bits 16",
            "reconstruct first-ae head.dcm scan.nii.gz --slice 80 --out pictures",
            "reconstruct first-ae series-folder --volume-out reconstructed.nii.gz --out pictures",
            "reconstruct first-ae series-folder --volume-out reconstructed --volume-format dicom",
        ),
        details="Reconstruct images or volumes with a trained model, and save them as PNG, NIfTI or DICOM.",
    ),
    "denoise": CommandSpec(
        "denoise an image with a model and baseline filters",
        "analysis_options.add_denoise",
        (
            "denoise first-ae head.dcm --sigma 0.1 --against nlm,tv --out pictures",
            "denoise first-ae head.png --noise rician --sigma 0.06 --roi 40,52,18,14 --out denoised",
            "denoise first-ae noisy.png --noise none --against nlm --bits 16 --out denoised",
            "denoise first-ae volume.nii.gz --noise none --volume-out denoised.nii.gz",
        ),
        details="Add noise to an image, denoise it with a model and baseline filters, and compare (images, PSNR, SSIM, "
        "lesion contrast).",
    ),
    "denoise-curve": CommandSpec(
        "measure denoising over a range of noise levels",
        "analysis_options.add_denoise_curve",
        (
            "denoise-curve first-ae second-ae --boxes boxes.csv --against nlm,tv --out curves",
            "denoise-curve first-ae --sigmas 0,10/255,25/255 --split validation --scans 40 --json",
        ),
        details="Measure denoising over a range of noise levels: PSNR, SSIM, break-even noise level, lesion contrast "
        "retained.",
    ),
    "activations": CommandSpec(
        "save feature maps (activations) of a model's layers",
        "analysis_options.add_activations",
        ("activations first-ae head.png --out layers", "activations first-ae head.png --layer latent --out layers"),
    ),
    "channels": CommandSpec(
        "measure channels, and show what excites them",
        "analysis_options.add_channels",
        ("channels first-ae", "channels first-ae --layer enc_conv2 --favorites 8 --preferred --out channels"),
    ),
    "lesion-layers": CommandSpec(
        "measure lesion detectability (d′) layer by layer",
        "analysis_options.add_lesion_layers",
        ("lesion-layers first-ae --out lesions", "lesion-layers first-ae --boxes boxes.csv --pairs 40"),
    ),
    "latent": CommandSpec(
        "analyze the latent space of a model",
        "analysis_options.add_latent",
        ("latent first-ae --out latent", "latent first-ae --method tsne --out latent"),
    ),
    "sample": CommandSpec(
        "generate images, each with its nearest training image",
        "analysis_options.add_sample",
        ("sample first-ae --n 16 --out samples",),
    ),
    "report": CommandSpec(
        "write a report on runs, one image or a search",
        "run_options.add_report",
        (
            "report first-ae second-ae --out comparison.pdf",
            "report first-ae --image head.png --sigma 0.1 --roi 40,52,18,14 --against nlm,tv --out case.html",
            "report --search ae --out search.html",
        ),
        details="Write a report on your own work as one HTML page or as PDF: runs with their images, curves, "
        "reconstructions, metrics, lesions and settings; one image with its methods, numbers and warnings; or a "
        "search.",
    ),
    "study": CommandSpec(
        "reproduce the reference study",
        "job_options.add_study",
        (
            "study --data ~/scans --out study",
            "study --out small --quick --size 32 --filters 8,16 --latent 16 --epochs 3",
        ),
    ),
    "demo": CommandSpec(
        "train two small models on phantoms, write a report",
        "job_options.add_demo",
        ("demo", "demo --out demo"),
    ),
    "completion": CommandSpec(
        "print the completion script of a shell",
        "completion.add_completion",
        ("completion bash > ~/.local/share/bash-completion/completions/engram",),
        details="Print the script by which bash, zsh or fish completes commands, options, values and names of runs.",
    ),
}
