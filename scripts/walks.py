"""Play three walks in the real program, a student's, a clinician's and a researcher's, and count what each goal costs.

    python scripts/walks.py student clinician researcher --size 1440x900 --theme dark --out pictures

Needs Linux with Xvfb, xdotool and, if there is one, the window manager openbox. The events come through the X server,
and a control is used only where it is visible, enabled and inside the window. A picture is saved at each step. `--home`
begins with a copy of the `home` of an earlier walk, so that its runs need not be trained again.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
GOAL = re.compile(r"^(\S.*) \((.*)\)\n((?: .*\n)+)", re.MULTILINE)
INSIDE, START_S, END_S = "ENGRAM_WALK", 3, 5
# Goals, what they cost in the first walks, and their steps: a method of the hand and what it is given.
STUDENT = r"""
see a trained model (1)
    click Train; picture train
train a small model of one's own (9)
    attempt Train a quick model; picture training; wait finished ·; picture trained
find a lesson (impossible)
    click Help; click Lessons; picture lessons; click 2. AE or VAE?
AE or VAE: predict, train both, read the answer (9)
    click The AE; click Lock in and run; picture lesson; wait \[3 Compare; picture answer
compare both (5)
    click Show in Compare; wait 2 of . compared; settle 3; gone ^Reconstructing|^Loading; picture compare
latent map of the VAE (5)
    click Show in Latent; wait of the variance; picture latent
walk along a latent dimension (5, a drag)
    click Traversal; settle 4; slide value of the latent dimension; settle 4; picture traversal
metrics beside the baselines (2)
    leave Lesson; click Compare; tick PCA; click Metrics…; settle 2; gone ^measuring; picture metrics; key Escape
overlay two curves (2)
    click Train; click demo-ae|1|ctrl; picture overlay
look at a layer of the new run (4)
    click Layers; settle 3; gone ^Opening|^Computing|^Loading; settle 2; picture layers
find the keys (1)
    key F1; picture keys; key Escape
"""
CLINICIAN = """
scan on the screen (3)
    drop SERIES; wait voxels; settle 2; picture scan
another slice (a drag)
    scroll axial slice 2; gone ^.xial slice 21 of; picture slice
own image in Denoise, no noise added (8)
    click Denoise; drop IMAGE; wait ^noisy; settle 2; picture dropped;
    choose noise type|None (image; wait removed by; settle 4; picture residual
mark a lesion (2)
    click Ellipse; drag_over Image (noisy); settle 6; picture lesion
look closer (1)
    click demo-denoiser SD|2; settle 1; picture closer; key Escape
export the figure (3)
    click Figure…; picture dialog; click Save; wait Saved to; picture saved
report on this image as PDF (impossible)
    click Result; click Report on this image; picture report; click Write report…; settle 1; click Save;
    wait Saved.*report; picture written
"""
RESEARCHER = """
own folder and its audit (3)
    drop DATA; wait patients; settle 3; picture data
see the leaked pairs (1)
    click Show duplicates…; wait Duplicate images; settle 2; picture duplicates; key Escape
train a run of two epochs (6)
    click Train; fill Latent size|32; fill Epochs|2; picture settings; click Start training; wait finished ·;
    picture trained
compare with the baselines (2)
    click Compare; wait . of . compared; settle 5; tick PCA; settle 3; gone ^Reconstructing|^Loading; picture compare;
    click Metrics…; settle 2; gone ^measuring; picture metrics; key Escape
errors over noise levels (3)
    click Denoise; wait break-even at; picture denoise
layers of the run (4)
    click Layers; settle 3; gone ^Opening|^Computing|^Loading; settle 2; picture layers
where did the lesion go? (5)
    click Lesion detectability; picture lesion; click Ellipse; drag_over lesion image; click Trace lesion;
    wait ^Largest loss|^No layer reduces; picture traced
search with three trials (7)
    click Search; picture space; fill Epochs: values|1, 2; fill Trials|3; click Start search;
    wait ^(?!.*running).*0 of 3 to come; picture search
report on a comparison (impossible)
    click Report; picture report; tick demo-ae; click Write report…; settle 1; click Save; wait Saved.*report;
    picture written
"""
WALKS = {"student": STUDENT, "clinician": CLINICIAN, "researcher": RESEARCHER}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("walks", nargs="+", choices=WALKS)
    options.add_argument("--size", default="1440x900", help="size of the screen in pixels")
    options.add_argument("--scale", default="1", help="scale of the display, such as 1.5")
    options.add_argument("--theme", choices=("Dark", "Light"), default="Dark")
    options.add_argument("--out", type=Path, required=True, help="folder of the pictures and of the table")
    options.add_argument("--home", type=Path, help="home of an earlier walk to begin with")
    options.add_argument("--data", type=Path, help="folder of the researcher's images")
    options.add_argument("--image", type=Path, help="noisy image of the clinician; a phantom when left out")
    options.add_argument("--lesion", default="0.45,0.25,0.65,0.45", help="its lesion: left, top, right, bottom, of 1")
    chosen = options.parse_args()
    if INSIDE in os.environ:
        walk(chosen)
        return
    home = chosen.out.absolute() / "home"
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.home:
        shutil.copytree(chosen.home, home, dirs_exist_ok=True)
    home.mkdir(exist_ok=True)
    places = {"HOME": home, "XDG_CONFIG_HOME": home / "config", "ENGRAM_CACHE": home / "cache", INSIDE: "1"}
    places |= {"QT_SCALE_FACTOR": chosen.scale, "QT_QPA_PLATFORM": "xcb", "ENGRAM_RUNS": home / "runs"}
    shell = '{ command -v openbox >/dev/null && openbox & }; exec "$@"'
    screen = ["xvfb-run", "-a", "-s", f"-screen 0 {chosen.size}x24", "bash", "-c", shell, "walk"]
    environment = os.environ | {name: str(value) for name, value in places.items()}
    sys.exit(subprocess.run([*screen, sys.executable, *sys.argv], env=environment, check=False).returncode)


def walk(chosen: argparse.Namespace) -> None:
    """Start the program as `main.py` does, with a thread that plays the walks."""
    from gui.launch import main as start
    from scripts.hand import Errand, Hand, is_shown
    from scripts.sample_volumes import write_noisy_image, write_series

    chosen.out = chosen.out.absolute()
    files = chosen.out / "files"
    image = chosen.image or write_noisy_image(files / "noisy.png")
    named = {"SERIES": write_series(files / "T2 axial"), "IMAGE": image, "DATA": chosen.data}
    box = tuple(float(share) for share in chosen.lesion.split(","))
    hand = Hand(Errand(), chosen.out, {name: str(path.absolute()) for name, path in named.items() if path}, box)

    # A file dialog begins here.
    os.chdir(os.environ["HOME"])

    def play() -> None:
        try:
            hand.until(lambda: hand.ask(is_shown), "the app's window")
            time.sleep(START_S)
            if chosen.theme != "Dark":
                hand.reach("theme", "", ("click View", "click Theme", f"click {chosen.theme}", "settle 5"))
            for name in chosen.walks:
                for goal, before, steps in GOAL.findall(WALKS[name]):
                    hand.reach(f"{name}: {goal}", before, [step.strip() for step in steps.split(";") if step.strip()])
        except RuntimeError:
            traceback.print_exc()
        (chosen.out / "table.md").write_text(hand.table(), encoding="utf-8")
        subprocess.run(["xdotool", "key", "ctrl+q"], check=False)
        time.sleep(END_S)
        os._exit(0)

    threading.Thread(target=play, daemon=True).start()
    start([])


if __name__ == "__main__":
    main()
