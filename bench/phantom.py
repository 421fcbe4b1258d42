"""How many phantom slices a second one core makes: python bench/phantom.py [--size 128] [--count 400] [--rounds 7]."""

import argparse
import os
import statistics
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is imported


def main() -> None:
    from engine.data.phantom import phantom

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=128, help="pixels of a side")
    options.add_argument("--count", type=int, default=400, help="slices a round, evenly dealt over the four classes")
    options.add_argument("--rounds", type=int, default=7, help="rounds; the median counts")
    chosen = options.parse_args()
    start = time.perf_counter()
    phantom(chosen.size, 0, 0)
    print(f"first slice {1000 * (time.perf_counter() - start):.0f} ms (makes the textures)")
    by_wall, by_processor = [], []
    for turn in range(chosen.rounds):
        wall, processor = time.perf_counter(), time.process_time()
        for index in range(chosen.count):
            phantom(chosen.size, turn, index)
        by_wall.append(chosen.count / (time.perf_counter() - wall))
        by_processor.append(chosen.count / (time.process_time() - processor))
    print(f"{chosen.size} x {chosen.size} pixels, {chosen.rounds} rounds of {chosen.count} slices, one thread")
    for name, rates in (("wall clock", by_wall), ("processor time", by_processor)):
        print(f"{statistics.median(rates):6.0f} slices/s by {name} ({min(rates):.0f} to {max(rates):.0f})")


if __name__ == "__main__":
    main()
