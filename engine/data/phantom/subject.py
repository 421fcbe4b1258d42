"""Variation between subjects, apart from the jitter of shapes: tissues, age, thicknesses."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PhantomSubject:
    """Parameters that vary between heads."""

    tissue: dict[str, float]  # brightness of each tissue
    scalp_mm: float
    skull_mm: float
    gap_mm: float  # fluid between dura and cortex
    sulcus_mm: float  # half-width of the sulci
    gray_mm: float
    reach_mm: float  # extra depth of sulci
    ventricles: float  # size of the ventricles, 1 = mean
    contrast: float  # contrast agent left in the vessels, 0 to 1
    start: tuple[int, int]  # offset of its textures

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "PhantomSubject":
        """Draw a random subject: a T1-weighted scan after contrast, a head of any age."""
        x = rng.standard_normal(24).tolist()
        age = float(rng.beta(1.4, 2.2))  # 0 young, 1 atrophic
        return cls(
            tissue=_tissues(age, float(rng.beta(1.3, 2.0)), x),
            scalp_mm=float(np.clip(5.0 + 1.6 * x[11], 2.5, 10)),
            skull_mm=float(np.clip(6.0 + 1.1 * x[12], 4, 10)),
            gap_mm=0.8 + 2.6 * age,
            sulcus_mm=0.1 + 1.6 * age + 0.2 * x[13],
            gray_mm=3.2 + 0.3 * x[14] - 0.4 * age,
            reach_mm=3 * x[15],
            ventricles=math.exp(0.18 * x[16] + 0.5 * (age - 0.35)),
            contrast=float(rng.beta(2.5, 1.5)),
            start=(int(rng.integers(1024)), int(rng.integers(1024))),
        )


def _tissues(age: float, contrast: float, x: list[float]) -> dict[str, float]:
    """Return the brightness of every tissue from normal deviates `x`; `contrast` (0 to 1) brightens white matter."""
    gray = 0.27 * math.exp(0.08 * x[0])
    fat = 0.63 * math.exp(0.1 * x[1])
    tissue = {
        "air": 0.004,
        "bone": 0.045 + 0.012 * abs(x[2]),
        "fat": fat,
        "skin": 0.5 * fat,
        "muscle": 0.27 * math.exp(0.12 * x[3]),
        "marrow": 0.36 * math.exp(0.3 * x[4]),
        "mucosa": 0.48 * math.exp(0.2 * x[5]),
        "gray": gray,
        "white": gray * (1.05 + 0.32 * contrast),
        "fluid": gray * (0.32 + 0.05 * x[6]),
        "sulcus": gray * (0.7 + 0.08 * x[17] - 0.34 * age),
        "dura": gray * (1.45 + 0.2 * x[7]),
        "vessel": gray * (2.1 + 0.3 * x[8]),
        "eye": 0.11 + 0.02 * x[9],
        "cartilage": 0.16 + 0.03 * x[10],
    }
    return tissue | {
        "nuclei": 0.75 * gray + 0.25 * tissue["white"],
        "ventricle": tissue["fluid"],
        "callosum": 1.1 * tissue["white"],
        "stem": tissue["white"],
    }
