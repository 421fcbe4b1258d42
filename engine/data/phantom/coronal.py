"""Coronal slices from the forehead to the occiput, seen from the front: u to the left of the head, v down."""

from engine.data.phantom.shapes import Ellipse, PhantomPlan, Stroke

FRONTAL = PhantomPlan(
    "frontal", "coronal", (0, 24), 236,
    ((0, -58), (16, -57), (32, -50), (46, -34), (53, -12), (52, 8), (42, 20), (24, 22), (10, 30), (0, 33)), (0, 2),
    head=(
        (0, -74), (20, -72), (42, -62), (58, -43), (66, -14), (66, 14), (68, 40), (68, 70), (60, 100), (54, 130),
        (46, 170), (0, 180),
    ),
    face=(
        Stroke("flesh", ((62, 20), (62, 48), (56, 64)), (3, 7, 3), pair=True),
        Ellipse("bone", (33, 42), (22, 20), pair=True),
        Ellipse("fat", (33, 42), (19, 17), pair=True),
        Ellipse("muscle", (33, 43), (4, 4), pair=True, soft=1.4),
        Ellipse("muscle", (32, 30.5), (6.5, 2.4), pair=True),
        Ellipse("muscle", (32, 55.5), (6, 2.4), pair=True),
        Ellipse("muscle", (20.5, 43), (2.2, 5.6), pair=True),
        Ellipse("muscle", (45.5, 43), (2.2, 6), pair=True),
        Ellipse("base", (0, 52), (12, 28)),
        Ellipse("air", (6, 48), (3.4, 14), pair=True),
        Stroke("air", ((8, 66), (7, 78), (11, 90)), (3, 2.6, 3), pair=True),
        Ellipse("mucosa", (9, 80), (3.6, 6), pair=True),
        Stroke("mucosa", ((0, 40), (0, 66), (0, 94)), (1.2, 1.2, 1.4)),
        Stroke("bone", ((31, 68), (33, 80), (30, 93)), (12, 15, 9), pair=True),
        Stroke("air", ((31, 68), (33, 79), (30, 91)), (10, 13, 7), pair=True),
        Stroke("bone", ((-30, 100), (0, 98), (30, 100)), (2, 2.4, 2)),
        Ellipse("flesh", (0, 122), (32, 20)),
        Stroke("bone", ((38, 108), (40, 120), (38, 132)), (3, 4, 3), pair=True),
    ),
    fissures=(Stroke("fluid", ((0, -62), (1, -20), (0, 30)), (1.1, 0.5, 0.6)),),
    inside=(
        Stroke("dura", ((0, -62), (0.5, -22), (0, 14)), (0.9, 0.5, 0.4), opacity=0.6),
        Ellipse("vessel", (0, -57), (3, 2.5)),
    ),
    reach_mm=0,
    lesions=((-44, -46), (44, 12)),
    dura=(-0.3, 0.3),
)  # fmt: skip

SELLA = PhantomPlan(
    "sella", "coronal", (0, 22), 236,
    (
        (0, -70), (16, -69), (34, -61), (52, -42), (63, -16), (66, 8), (63, 30), (52, 44), (38, 47), (26, 43), (13, 35),
        (0, 32),
    ),
    (0, -4),
    head=(
        (0, -86), (20, -84), (44, -74), (66, -52), (78, -20), (80, 10), (79, 36), (74, 54), (72, 80), (66, 106),
        (58, 130), (54, 170), (0, 180),
    ),
    face=(
        Ellipse("base", (0, 54), (44, 17)),
        Stroke("bone", ((70, 42), (52, 54), (30, 54)), (3, 4, 5), pair=True),
        Ellipse("air", (7, 51), (8, 9), pair=True),
        Stroke("flesh", ((66, 62), (63, 88), (54, 108)), (5, 7.5, 4), pair=True),
        Stroke("bone", ((56, 66), (54, 92), (50, 116)), (2.6, 3, 3.4), pair=True),
        Stroke("marrow", ((56, 72), (54, 92), (50, 114)), (0.9, 1.3, 1.5), pair=True),
        Stroke("flesh", ((22, 66), (34, 78), (44, 100)), (5, 7, 5), pair=True),
        Stroke("flesh", ((44, 58), (36, 66), (24, 74)), (4, 5, 3), pair=True),
        Ellipse("mucosa", (0, 82), (15, 18)),
        Stroke("air", ((0, 70), (0, 84), (0, 98)), (6, 8, 5)),
        Ellipse("flesh", (0, 118), (26, 18)),
        Stroke("fat", ((38, 104), (34, 122), (30, 140)), (4, 5, 4), pair=True, opacity=0.45),
    ),
    fissures=(
        Stroke("fluid", ((0, -74), (1, -48), (0, -29)), (1.0, 0.4, 0.3)),
        Stroke("fluid", ((70, 10), (56, 8), (43, 4), (39, -5), (42, -15)), (2.0, 1.0, 1.0, 0.3, -0.3), pair=True),
        Stroke("fluid", ((43, 4), (36, 12), (26, 18), (12, 20)), (1.0, 0.9, 1.0, 1.6), pair=True),
    ),
    inside=(
        Stroke("callosum", ((-18, -19), (-8, -25), (0, -26), (8, -25), (18, -19)), (2, 2.8, 2.8, 2.8, 2)),
        Ellipse("nuclei", (27, 0), (7, 12), 16, pair=True, soft=2),
        Ellipse("nuclei", (18, -12), (5, 7), 20, pair=True, soft=1.6),
        Ellipse("nuclei", (8, 0), (5, 8), 10, pair=True, soft=2),
        Stroke("ventricle", ((2.5, -10), (7, -18), (17, -22)), (2.2, 4.0, 0.8), pair=True),
        Stroke("ventricle", ((0, -5), (0, 6), (0, 15)), (0.8, 1.5, 1.2)),
        Ellipse("fluid", (0, 22), (13, 5)),
        Stroke("white", ((-9, 19), (0, 20.5), (9, 19)), (1.3, 1.6, 1.3)),
        Stroke("white", ((0, 21), (0, 27)), (0.8, 0.8)),
        Ellipse("ventricle", (33, 24), (4, 1.6), -24, pair=True),
        Stroke("vessel", ((8, 21), (18, 19), (30, 14)), (1, 1, 0.8), pair=True, opacity=0.8),
        Ellipse("base", (0, 35), (15, 7)),
        Ellipse("vessel", (0, 32), (7.5, 3.6), opacity=0.75),
        Ellipse("dura", (13, 33), (4.5, 6), pair=True),
        Ellipse("bone", (12, 33), (2.5, 2.9), pair=True),
        Stroke("dura", ((0, -74), (0, -52), (0, -33)), (0.8, 0.5, 0.4), opacity=0.7),
        Ellipse("vessel", (0, -69), (4, 3)),
    ),
    sella=(0, 31),
    lesions=((-54, -56), (54, 36)),
    dura=(-0.3, 0.3),
)  # fmt: skip

POSTERIOR = PhantomPlan(
    "posterior", "coronal", (0, 16), 240,
    (
        (0, -68), (18, -67), (38, -58), (56, -38), (66, -10), (67, 14), (62, 38), (50, 58), (34, 70), (16, 74), (0, 74),
    ),
    (0, 4),
    head=(
        (0, -84), (22, -83), (46, -72), (68, -50), (80, -16), (82, 16), (78, 44), (68, 70), (60, 92), (58, 120),
        (66, 160), (40, 190), (0, 190),
    ),
    face=(
        Stroke("bone", ((72, 34), (62, 56), (46, 74)), (5, 8, 6), pair=True),
        Stroke("flesh", ((14, 90), (16, 120), (18, 170)), (11, 13, 13), pair=True),
        Stroke("flesh", ((42, 84), (44, 120), (44, 170)), (8, 10, 10), pair=True),
        Stroke("fat", ((0, 84), (0, 120), (0, 170)), (1.6, 2, 2), opacity=0.45),
    ),
    fissures=(
        Stroke("fluid", ((0, -72), (1, -44), (0, -18)), (1.0, 0.4, 0.3)),
        Stroke("fluid", ((70, 2), (56, 2), (46, -6)), (1.6, 0.8, -0.2), pair=True),
        Stroke("fluid", ((0, 16), (22, 22), (44, 31), (68, 36)), (1.6, 1.2, 1.2, 1.6), pair=True),
    ),
    inside=(
        Ellipse("fluid", (0, 47), (59, 25)),
        Ellipse("cerebellum", (28, 47), (30, 21.5), 10, pair=True),
        Ellipse("cerebellum", (0, 42), (11, 22)),
        Ellipse("white", (25, 45), (13, 6.5), 12, pair=True, opacity=0.75, soft=3),
        Ellipse("fluid", (0, 68), (5, 4)),
        Stroke("callosum", ((-16, -8), (0, -13), (16, -8)), (3, 4, 3)),
        Stroke("ventricle", ((14, -7), (22, -2), (26, 10)), (3, 5.5, 2.6), pair=True),
        Ellipse("vessel", (22, 2), (2.3, 3.4), pair=True, opacity=0.9),
        Stroke("dura", ((0, 8), (10, 20), (34, 29), (66, 37)), (0.9, 0.7, 0.8, 1.1), pair=True, opacity=0.85),
        Stroke("dura", ((0, -72), (0, -40), (0, 8)), (0.9, 0.5, 0.6), opacity=0.75),
        Ellipse("vessel", (0, 9), (2.6, 2.6)),
        Ellipse("vessel", (62, 37), (3.4, 2.6), pair=True),
        Ellipse("vessel", (0, -67), (4, 3)),
    ),
    lesions=((-54, -54), (54, 20)),
    dura=(-0.3, 0.3),
)  # fmt: skip

OCCIPITAL = PhantomPlan(
    "occipital", "coronal", (0, 14), 236,
    ((0, -54), (16, -53), (32, -45), (46, -28), (54, -6), (54, 16), (47, 38), (34, 54), (16, 60), (0, 60)), (0, 4),
    head=(
        (0, -70), (20, -68), (40, -58), (58, -38), (68, -8), (69, 18), (62, 46), (54, 70), (52, 96), (60, 130),
        (66, 160), (40, 190), (0, 190),
    ),
    face=(
        Stroke("flesh", ((14, 78), (16, 110), (18, 170)), (11, 13, 13), pair=True),
        Stroke("flesh", ((40, 78), (42, 116), (44, 170)), (8, 10, 10), pair=True),
        Stroke("fat", ((0, 70), (0, 110), (0, 170)), (1.8, 2, 2), opacity=0.35),
    ),
    fissures=(
        Stroke("fluid", ((0, -58), (1, -20), (0, 18)), (1.0, 0.5, 0.5)),
        Stroke("fluid", ((0, 20), (24, 24), (56, 26)), (1.6, 1.2, 1.6), pair=True),
    ),
    inside=(
        Ellipse("cerebellum", (22, 40), (24, 16), 8, pair=True),
        Ellipse("white", (20, 39), (10, 5), 8, pair=True, opacity=0.6, soft=3),
        Ellipse("ventricle", (24, 0), (2.2, 5), pair=True),
        Stroke("dura", ((0, 16), (20, 21), (52, 29)), (0.9, 0.5, 0.8), pair=True, opacity=0.6),
        Stroke("dura", ((0, -58), (0, -20), (0, 18)), (0.9, 0.6, 1.0), opacity=0.8),
        Stroke("fluid", ((0, 40), (0, 52), (0, 62)), (0.4, 1.2, 2)),
        Ellipse("vessel", (0, 18), (4, 3.4)),
        Ellipse("vessel", (0, -54), (4, 3)),
    ),
    lesions=((-44, -42), (44, 14)),
    dura=(-0.3, 0.3),
)  # fmt: skip

PLANS = (FRONTAL, SELLA, POSTERIOR, OCCIPITAL)
