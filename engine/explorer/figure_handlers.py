"""Figures of what the app shows: rows of images, and maps."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.messages import ExportFigure, ExportFigureReply


def export_figure(request: ExportFigure) -> ExportFigureReply:
    """Write a figure of images or points that the app has saved.

    Raises:
        EngramError: an array cannot be read, or the figure not be written.
    """
    from engine.figures import base, image_strips, latent, style

    words = image_strips.FigureText(request.heading, request.lines, request.scale)
    if request.map is not None:
        figure = latent.plane(_load(request.map.points), request.map, words)
    else:
        rows = [
            image_strips.Strip(
                row.title,
                list(_load(row.images)),
                row.colors == "signed",
                row.notes,
                None if row.limits is None else (row.colors == "heat", *row.limits),
            )
            for row in request.rows
        ]
        figure = image_strips.strips(rows, request.titles, words)
    return ExportFigureReply(path=str(base.save(style.to_light(figure), Path(request.path))))


def _load(path: str) -> NDArray[np.float32]:
    try:
        found: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError("The images of the figure could not be read.", "Export the figure again.") from error
    return found
