"""Axial slices from the vertex to the skull base, seen from below: u to the left of the head, v to the back."""

from engine.data.phantom.shapes import Ellipse, PhantomPlan, Stroke

_BRAIN = (
    (0, -84), (18, -82), (36, -74), (51, -55), (60, -28), (66, 4), (66, 32), (58, 58), (41, 76), (20, 85), (0, 87),
)  # fmt: skip
_FALX_FRONT = Stroke("fluid", ((0, -88), (0.5, -64), (0, -40)), (0.9, 0.3, -0.3))
_FALX_BACK = Stroke("fluid", ((0, 40), (-0.5, 62), (0, 90)), (-0.2, 0.3, 0.8))
_SYLVIAN = Stroke("fluid", ((68, -16), (54, -14), (44, -12), (40, 2), (45, 18)), (2.0, 0.9, 0.9, 0.2, -0.3), pair=True)
_MIDLINE = (
    Stroke("dura", ((0, -88), (0, -62), (0, -42)), (0.7, 0.4, 0.2), opacity=0.55),
    Stroke("dura", ((0, 42), (0, 64), (0, 90)), (0.3, 0.5, 0.9), opacity=0.7),
    Ellipse("vessel", (0, 85), (4.5, 3.2)),
)

VERTEX = PhantomPlan(
    "vertex", "axial", (0, 2), 236,
    ((0, -58), (17, -56), (33, -47), (44, -30), (50, -6), (50, 18), (43, 40), (29, 55), (14, 62), (0, 63)), (0, 2),
    fissures=(Stroke("fluid", ((0, -62), (1, -20), (-1, 20), (0, 66)), (1.2, 0.6, 0.6, 1.2)),),
    inside=(
        Stroke("dura", ((0, -62), (1, -20), (-1, 20), (0, 66)), (0.5, 0.4, 0.4, 0.7), opacity=0.7),
        Ellipse("vessel", (0, -57), (3, 2.4)),
        Ellipse("vessel", (0, 62), (4.5, 3)),
    ),
    reach_mm=0,
    lesions=((-42, -46), (42, 50)),
)  # fmt: skip

CENTRUM = PhantomPlan(
    "centrum", "axial", (0, 2), 236,
    ((0, -77), (18, -75), (36, -65), (50, -46), (58, -20), (62, 8), (61, 34), (52, 58), (36, 73), (17, 80), (0, 82)),
    (0, 4),
    fissures=(Stroke("fluid", ((0, -80), (1, -30), (-1, 20), (0, 86)), (1.1, 0.2, 0.2, 1.1)),),
    inside=(
        Stroke("dura", ((0, -80), (0, -44), (0, -12)), (0.6, 0.4, 0.2), opacity=0.6),
        Stroke("dura", ((0, 14), (0, 50), (0, 86)), (0.2, 0.4, 0.9), opacity=0.7),
        Ellipse("vessel", (0, 81), (4.5, 3)),
    ),
    reach_mm=32,
    lesions=((-50, -62), (50, 66)),
)  # fmt: skip

BODIES = PhantomPlan(
    "bodies", "axial", (0, 2), 236, _BRAIN, (0, 4),
    fissures=(
        Stroke("fluid", ((0, -88), (0.5, -64), (0, -36)), (0.9, 0.3, -0.3)),
        Stroke("fluid", ((0, 38), (-0.5, 62), (0, 90)), (-0.2, 0.3, 0.8)),
        Stroke("fluid", ((68, 2), (56, 4), (48, 8)), (1.6, 0.4, -0.6), pair=True),
    ),
    inside=(
        Ellipse("callosum", (0, -33), (12, 5.5)),
        Ellipse("callosum", (0, 36), (13, 6)),
        Ellipse("nuclei", (17, -8), (4, 14), -6, pair=True, soft=1.8),
        Stroke("ventricle", ((10, -31), (6, -16), (8, 2), (13, 22), (21, 36)), (2.8, 4, 4.2, 4.4, 2.4), pair=True),
        Stroke("dura", ((9, 4), (12, 18), (16, 27)), (0.6, 1.1, 1.3), pair=True, opacity=0.8),
        *_MIDLINE,
    ),
    lesions=((-56, -68), (56, 72)),
)  # fmt: skip

VENTRICLES = PhantomPlan(
    "ventricles", "axial", (0, 2), 236, _BRAIN, (0, 4),
    fissures=(_FALX_FRONT, _FALX_BACK, _SYLVIAN),
    inside=(
        Ellipse("callosum", (0, -33), (13, 5)),
        Ellipse("callosum", (0, 31), (17, 6)),
        Ellipse("nuclei", (27, -5), (6.5, 16), 12, pair=True, soft=2),
        Ellipse("nuclei", (11, 9), (8.5, 14), -24, pair=True, soft=2),
        Stroke("ventricle", ((3, -9), (5, -20), (12, -33)), (1.6, 3.8, 2.6), pair=True),
        Ellipse("nuclei", (12, -19), (4.2, 8), -22, pair=True, soft=1.5),
        Stroke("ventricle", ((0, -6), (0, 6), (0, 17)), (0.9, 1.6, 1.4)),
        Stroke("fluid", ((10, 25), (0, 21), (-10, 25)), (0.4, 1.6, 0.4)),
        Stroke("ventricle", ((17, 25), (25, 34), (26, 50)), (3, 4.6, 1.2), pair=True),
        Ellipse("vessel", (22, 31), (2.2, 3.6), -30, pair=True, opacity=0.9),
        *_MIDLINE,
    ),
    lesions=((-56, -68), (56, 72)),
)  # fmt: skip

MIDBRAIN = PhantomPlan(
    "midbrain", "axial", (0, 2), 236, _BRAIN, (0, 4),
    fissures=(
        Stroke("fluid", ((0, -88), (0.5, -60), (0, -24)), (0.9, 0.3, 0.3)),
        Stroke("fluid", ((68, -14), (55, -21), (40, -25), (26, -19), (10, -13)), (2.4, 1.3, 0.9, 1.1, 1.6), pair=True),
    ),
    inside=(
        Stroke("fluid", ((0, -18), (8, -10), (13, 6), (12, 20), (0, 27)), (3.5, 2.4, 1.7, 1.5, 2.4), pair=True),
        Ellipse("fluid", (0, -9), (9, 6.5)),
        Ellipse("white", (6.5, 2), (5.5, 8), 24, pair=True),
        Ellipse("white", (0, 12), (11, 9)),
        Ellipse("fluid", (0, 15.5), (1.2, 1.2)),
        Ellipse("vessel", (0, -7), (1.4, 1.4)),
        Stroke("vessel", ((3, -14), (14, -15), (26, -19), (36, -23)), (0.8, 0.7, 0.6, 0.2), pair=True, opacity=0.6),
        Stroke("ventricle", ((31, 0), (33, 10), (32, 18)), (0.4, 1.6, 0.4), pair=True),
        Ellipse("cerebellum", (0, 38), (15, 10)),
        Stroke("dura", ((11, 26), (19, 40), (10, 56), (0, 64)), (0.5, 0.8, 0.8, 0.9), pair=True, opacity=0.8),
        Stroke("dura", ((0, 64), (0, 76), (0, 88)), (0.8, 0.6, 0.9), opacity=0.8),
        Ellipse("vessel", (0, 85), (4, 3)),
    ),
    lesions=((-56, -68), (56, 72)),
)  # fmt: skip

_ORBIT_HEAD = (
    (0, -114), (7, -111), (12, -100), (26, -97), (44, -92), (58, -78), (66, -55), (74, -28), (79, 4), (79, 34),
    (70, 62),
    (50, 86), (24, 100), (0, 104),
)  # fmt: skip
_ORBITS = (
    Stroke("flesh", ((60, -62), (66, -40), (68, -18)), (3, 7, 3), pair=True),
    Stroke("bone", ((56, -72), (45, -52), (30, -32)), (2.5, 3, 3), pair=True),
    Stroke("fat", ((34, -86), (31, -66), (22, -46), (13, -34)), (15, 15, 9, 3), pair=True),
    Stroke("muscle", ((45, -76), (38, -58), (20, -38)), (1.6, 2.2, 1), pair=True),
    Stroke("muscle", ((20, -76), (20, -58), (15, -40)), (1.4, 2.0, 1), pair=True),
    Stroke("muscle", ((33, -66), (26, -52), (14, -34)), (1.6, 1.6, 1.2), pair=True),
    Ellipse("muscle", (34, -80), (14, 14), pair=True),
    Ellipse("eye", (34, -80), (11.6, 11.6), pair=True),
    Ellipse("cartilage", (34, -91), (4.5, 2.5), pair=True),
    Stroke("bone", ((0, -96), (0, -70), (0, -42)), (8, 12, 11)),
    Stroke("mucosa", ((0, -104), (0, -80), (0, -52)), (0.9, 1, 0.8), opacity=0.7),
    Stroke("mucosa", ((6, -92), (7, -70), (6, -50)), (1.2, 1.4, 1), pair=True, opacity=0.5),
)

ORBITS = PhantomPlan(
    "orbits", "axial", (0, -6), 242,
    ((0, -25), (12, -27), (24, -42), (42, -47), (56, -36), (64, -8), (66, 24), (58, 54), (41, 75), (20, 86), (0, 89)),
    (0, 20),
    head=_ORBIT_HEAD,
    face=(*_ORBITS, Ellipse("base", (0, -32), (13, 9)), Ellipse("air", (0, -38), (8, 7))),
    fissures=(
        Stroke("fluid", ((0, 60), (0, 76), (0, 92)), (0.3, 0.4, 0.9)),
        Stroke("fluid", ((22, -30), (20, -12), (18, 4)), (1.2, 1, 0.6), pair=True),
    ),
    inside=(
        Ellipse("base", (0, -19), (13, 6)),
        Ellipse("vessel", (0, -17), (6, 4), opacity=0.8),
        Ellipse("bone", (10, -18), (2.6, 3), pair=True),
        Stroke("fluid", ((0, -8), (10, -6), (17, 4), (18, 16), (9, 26), (0, 30)), (4, 3, 2, 1.5, 1.4, 1.8), pair=True),
        Ellipse("white", (0, 6), (14, 13)),
        Ellipse("vessel", (0, -9), (1.7, 1.7)),
        Ellipse("fluid", (0, 17), (2.2, 1.6)),
        Ellipse("ventricle", (36, -4), (1.6, 6), 14, pair=True),
        Ellipse("cerebellum", (0, 42), (21, 15)),
        Stroke("dura", ((18, 22), (27, 38), (16, 56), (0, 68)), (0.6, 0.9, 0.9, 1), pair=True, opacity=0.8),
        Stroke("dura", ((0, 68), (0, 80), (0, 92)), (0.8, 0.7, 1), opacity=0.8),
        Ellipse("vessel", (0, 87), (5, 3)),
    ),
    sella=(0, -18),
    lesions=((-54, -30), (54, 72)),
    dura=(0.22, 0.78),
)  # fmt: skip

FOSSA = PhantomPlan(
    "fossa", "axial", (0, -6), 242,
    ((0, -20), (12, -22), (24, -40), (42, -46), (56, -36), (63, -8), (64, 22), (57, 52), (40, 72), (20, 82), (0, 85)),
    (0, 20),
    head=_ORBIT_HEAD,
    face=(
        *_ORBITS,
        Ellipse("air", (0, -34), (9, 9)),
        Stroke("fat", ((82, 6), (86, 14), (84, 26)), (2.5, 3.5, 2.5), pair=True),
    ),
    inside=(
        Ellipse("base", (0, -14), (20, 9)),
        Stroke("base", ((12, -10), (34, 2), (64, 14)), (6, 7, 9), pair=True, opacity=0.7),
        Stroke("bone", ((18, -4), (38, 6), (62, 12)), (2, 4, 6), pair=True),
        Stroke("fluid", ((-40, 14), (-18, 2), (0, -2), (18, 2), (40, 14)), (1, 3, 4, 3, 1)),
        Ellipse("cerebellum", (27, 42), (31, 32), 18, pair=True),
        Ellipse("cerebellum", (0, 52), (12, 24)),
        Ellipse("white", (22, 34), (13, 8), 30, pair=True, opacity=0.7, soft=3),
        Ellipse("white", (0, 12), (15, 12.5)),
        Stroke("white", ((10, 14), (18, 22), (24, 32)), (4, 5, 5), pair=True, soft=2),
        Ellipse("ventricle", (0, 27), (6, 3.2)),
        Ellipse("vessel", (0, -2), (1.7, 1.7)),
        Stroke("vessel", ((61, 24), (57, 44), (42, 64)), (1.2, 2.2, 0.8), pair=True, opacity=0.6),
        Stroke("fluid", ((0, 66), (0, 76), (0, 88)), (0.5, 2, 3)),
        Ellipse("vessel", (0, 84), (4, 3)),
    ),
    sella=(0, -17),
    lesions=((-44, 22), (44, 64)),
    dura=(0.22, 0.78),
)  # fmt: skip

PLANS = (VERTEX, CENTRUM, BODIES, VENTRICLES, MIDBRAIN, ORBITS, FOSSA)
