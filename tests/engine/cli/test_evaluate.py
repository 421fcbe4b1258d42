"""The table of `evaluate`."""

import pytest

from engine.cli.evaluate import IMAGE_COLUMNS, PLACES, _cells

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.mark.parametrize(("limits", "shown"), [([19.0, 23.0], "19.0 to 23.0"), (None, "—")])
def test_the_interval_over_patients_stands_under_its_head(limits, shown):
    """One patient alone has none."""
    part = dict.fromkeys([*IMAGE_COLUMNS, *PLACES], 0.5) | {"psnr_db": 21.0, "psnr_db_interval": [20.0, 22.0]}
    cells = dict(zip(IMAGE_COLUMNS, _cells(part | {"psnr_db_patient_interval": limits}, IMAGE_COLUMNS), strict=True))
    assert (cells["psnr_db"], cells["psnr_db_patient_interval"]) == ("21.0 ± 1.0", shown)
    assert cells["head_ssim"] == "0.50"
