"""The GPUs of this machine, dealt out to trials: the process of a trial sees the card it is given alone."""

import os
import subprocess

ASK = ("nvidia-smi", "--query-gpu=index", "--format=csv,noheader")
PATIENCE_S = 10


def found() -> list[str]:
    """Names of the cards that may be used, as `CUDA_VISIBLE_DEVICES` takes them; empty where there are none."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [name.strip() for name in allowed.split(",") if name.strip() not in ("", "-1")]
    try:
        told = subprocess.run(ASK, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return told.stdout.split() if told.returncode == 0 else []


def dealt(slot: int, cards: list[str]) -> str | None:
    """The card of a trial: one each, then several to a card; None where there is no choice."""
    return cards[slot % len(cards)] if len(cards) > 1 else None
