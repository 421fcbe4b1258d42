"""Options of `latent` and `sample`."""

from argparse import ArgumentParser
from pathlib import Path


def add_latent(command: ArgumentParser) -> None:
    """Add the options of `latent`."""
    command.description = (
        "Analyze the latent space of a model: a map of all images by class, split, leak and error; the "
        "information in each latent dimension, and which are inactive (collapsed); the training images nearest "
        "to each test image, and which test images are near copies; interpolations between images and class "
        "means; and, for a variational model, the posterior SD and whether it predicts the reconstruction error. "
        "A U-Net or a model with skip connections is mapped by its deepest features."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help="'phantom', a folder, or 'hf:ID' (default: the run's own)")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="output folder (created if needed)")
    command.add_argument(
        "--method",
        choices=("pca", "tsne", "umap"),
        default="pca",
        help="embedding for the map; default pca. t-SNE and UMAP start from 50 principal components",
    )
    _add_seed(command)


def add_sample(command: ArgumentParser) -> None:
    """Add the options of `sample`."""
    command.description = (
        "Generate images from a model: from the prior of a variational model, or from a Gaussian mixture fitted "
        "to the latent codes of the training images, with the number of components chosen on the validation "
        "images. Each image is shown with its nearest training image and marked if it is a near copy (possible "
        "memorization)."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--n", metavar="N", default="16", dest="count", help="number of images, 1 to 256; default 16")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="output folder (created if needed)")
    command.add_argument(
        "--from",
        choices=("prior", "mixture"),
        dest="drawn_from",
        help="distribution of the latent codes; default: the prior of a variational model, else the mixture",
    )
    command.add_argument(
        "--data",
        metavar="SOURCE",
        help="dataset used to fit the mixture and to search for near copies (default: the run's own)",
    )
    _add_seed(command)


def _add_seed(command: ArgumentParser) -> None:
    command.add_argument("--seed", metavar="N", default="0", help="random seed; default 0")
