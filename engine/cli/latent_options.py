"""The options of the two commands about latent spaces: `latent` and `sample`."""

from argparse import ArgumentParser
from pathlib import Path


def add_latent(command: ArgumentParser) -> None:
    """What `latent` takes."""
    command.description = (
        "Look into the latent space of a run: a map of all scans by class, split, leak and error; what each latent "
        "number says, and which have collapsed; the training scans nearest to each test scan, and which test scans are "
        "near copies of one; ways between scans, class averages; and, of a variational run, the spread of posterior "
        "samples and whether it says how wrong a reconstruction is. A U-Net and a model with skip connections are "
        "mapped by their deepest features."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument(
        "--data", metavar="SOURCE", help="'phantom', a folder, or 'hf:ID'; the run's own where not given"
    )
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for the files; made if missing")
    command.add_argument(
        "--method",
        choices=("pca", "tsne", "umap"),
        default="pca",
        help="how the map is laid out; default pca. t-SNE and UMAP start from 50 principal components",
    )
    _add_seed(command)


def add_sample(command: ArgumentParser) -> None:
    """What `sample` takes."""
    command.description = (
        "Draw pictures from a run: from the prior of a variational model, or from a Gaussian mixture fitted to the "
        "latents of its training scans, whose number of components is chosen on the validation scans. For each picture "
        "the nearest training scan is named, and whether the picture is a near copy of it."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--n", metavar="N", default="16", dest="count", help="how many, 1 to 256; default 16")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for the files; made if missing")
    command.add_argument(
        "--from",
        choices=("prior", "mixture"),
        dest="drawn_from",
        help="where latents are drawn from; default: the prior of a variational model, else the mixture",
    )
    command.add_argument(
        "--data", metavar="SOURCE", help="whose training scans the mixture and the copies are of; the run's own"
    )
    _add_seed(command)


def _add_seed(command: ArgumentParser) -> None:
    command.add_argument("--seed", metavar="N", default="0", help="seed of what is drawn; default 0")
