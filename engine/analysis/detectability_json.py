"""Detectability of lesions as JSON types: for the CLI and the app."""

from collections.abc import Sequence
from typing import Any

from engine import lesions
from engine.analysis.lesion_pairs import LesionPair


def to_dict(found: Any) -> dict[str, Any]:
    """Return the measured layers with their shares, and the one with the largest loss.

    Args:
        found: a `detectability.DetectabilityResult`.
    """
    mean = {"held": found.held.mean(axis=1), "alone": found.alone.mean(axis=1), "lost": found.lost.mean(axis=1)}
    first = float(found.first.mean())
    shares = {name: (getattr(found, name) / found.first).mean(axis=1) for name in ("held", "alone")}
    rows = [
        {
            **{"name": layer.name, "kind": layer.kind, "part": layer.part},
            **{"held_d_prime": float(mean["held"][row]), "alone_d_prime": float(mean["alone"][row])},
            **{"held_share": float(shares["held"][row]), "alone_share": float(shares["alone"][row])},
            "lost_share": float(mean["lost"][row]),
        }
        for row, layer in enumerate(found.layers)
    ]
    worst = None if found.worst_layer is None else found.layers[found.worst_layer].name
    return {"picture_d_prime": first, "layers": rows, "loses_most": worst}


def pairs(found: Any, twins: Sequence[LesionPair], reconstructed: Any) -> list[dict[str, Any]]:
    """Return the detectability of each lesion, and the contrast that the output retains of it.

    Args:
        found: a `detectability.DetectabilityResult`.
        twins: its pairs.
        reconstructed: the reconstructions of their images, (pairs, size, size, 1).
    """
    lost = found.lost
    rows = []
    for index, twin in enumerate(twins):
        kept = lesions.retention(twin.picture, reconstructed[index, ..., 0], twin.mask)
        rows.append(
            {
                **{"name": twin.name, "lesion_px": lesions.area(twin.mask)},
                "picture_d_prime": float(found.first[index]),
                "output_d_prime": float(found.held[-1, index]),
                "output_share": float(found.held[-1, index] / found.first[index]),
                "loses_most": found.layers[int(lost[:, index].argmax())].name if lost[:, index].any() else None,
                "contrast_kept": kept.value,
            }
        )
    return rows
