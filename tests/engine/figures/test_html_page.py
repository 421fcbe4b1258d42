"""The style of the HTML pages, worked out for every element as a browser does, on screen and on paper."""

import re
from html.parser import HTMLParser

import pytest

from engine.figures import html_page

PROPERTIES = ("color", "background", "border-color")
INHERITED = ("color",)
VOID = {"meta", "img"}
READABLE = 7.0  # WCAG's contrast for body text, level AAA
PARTS = [
    html_page.paragraph("Words."),
    html_page.table(["name", "text"], [["a", "b"], ["c", "d"]], left=1, prose=1),
    html_page.code_block(["engram demo"]),
    html_page.picture_from_png(b"\x89PNG" + bytes(20), "A caption."),
    '<p><a href="#">A link</a></p>',
]


def read_rules(css, medium="screen"):
    """Return (medium, selector, declarations) of every rule, in order."""
    rules = []
    while css.strip():
        head, css = css.split("{", 1)
        if head.strip().startswith("@media"):
            end = next(i for i in range(len(css)) if css[: i + 1].count("}") > css[: i + 1].count("{"))
            rules += read_rules(css[:end], head.split()[1])
            css = css[end + 1 :]
            continue
        body, css = css.split("}", 1)
        declarations = dict(line.strip().split(":", 1) for line in body.split(";") if line.strip())
        rules += [(medium, one.strip(), declarations) for one in head.split(",")]
    return rules


def is_match(selector, element):
    """Tell whether a selector of types, classes, ' ' and '>' selects an element, a list of (tag, classes, parent)."""
    *before, last = selector.split()
    tag, classes, parent = element
    words = re.findall(r"[.:]?[\w*-]+", last)
    own = all(w in ("*", tag) or (w == ":root" and tag == "html") or (w[0] == "." and w[1:] in classes) for w in words)
    if not own or not before:
        return own
    if before[-1] == ">":
        return parent is not None and is_match(" ".join(before[:-1]), parent)
    while parent is not None and not is_match(" ".join(before), parent):
        parent = parent[2]
    return parent is not None


def compute(rules, element):
    """Return the properties of an element: the most specific rule wins, then the latest."""
    found = dict.fromkeys(PROPERTIES, "")
    if element[2] is not None:
        found |= {name: value for name, value in compute(rules, element[2]).items() if name in (*INHERITED, "--")}
    found.setdefault("--", {})
    fit = [rule for rule in rules if is_match(rule[1], element)]
    for _, _, declarations in sorted(fit, key=lambda rule: len(re.findall(r"[.:]\w", rule[1])) * 9 + (rule[1] != "*")):
        named = {name.strip(): value.strip() for name, value in declarations.items()}
        found["--"] = found["--"] | {name: value for name, value in named.items() if name.startswith("--")}
        if "border" in named:
            named.setdefault("border-color", named["border"].split()[-1])
        found |= {name: value for name, value in named.items() if name in PROPERTIES}
    return {
        name: re.sub(r"var\((.*?)\)", lambda m: found["--"][m[1]], v) if v and name != "--" else v
        for name, v in found.items()
    }


def luminance(color):
    """Return WCAG's relative luminance of '#rgb' or '#rrggbb'."""
    digits = color.removeprefix("#")
    channels = [int(c * 2 if len(digits) == 3 else c, 16) / 255 for c in re.findall(f".{{{len(digits) // 3}}}", digits)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


class Elements(HTMLParser):
    """Every element of a page with its parent, and the text of its style."""

    def __init__(self, html):
        super().__init__()
        self.found, self.css, self._open = [], "", None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        element = (tag, (dict(attributes).get("class") or "").split(), self._open)
        self.found.append(element)
        if tag not in VOID:
            self._open = element

    def handle_endtag(self, tag):
        self._open = self._open[2]

    def handle_data(self, data):
        self.css += data if self._open and self._open[0] == "style" else ""


@pytest.fixture(scope="module")
def whole():
    sections = [html_page.section("A", *PARTS), html_page.section("B", *PARTS, warning=True)]
    return Elements(html_page.page("Title", "Lead.", [*sections, html_page.columns(*sections)]))


def computed(whole, media):
    """Return what every element within the body looks like: (element, its background, its properties)."""
    rules = [rule for rule in read_rules(whole.css) if rule[0] in media]
    body = next(index for index, element in enumerate(whole.found) if element[0] == "body")
    for element in whole.found[body:]:
        own, behind = compute(rules, element), element
        while not (background := compute(rules, behind)["background"]):
            behind = behind[2]
        yield element, background, own


@pytest.mark.parametrize("media", [("screen",), ("screen", "print")], ids=["screen", "print"])
def test_every_text_is_legible(whole, media):
    for element, background, own in computed(whole, media):
        light, dark = sorted((luminance(own["color"]), luminance(background)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= (READABLE if "print" in media else 4.5), element[:2]


def test_paper_stays_white_and_its_text_black(whole):
    for element, background, own in computed(whole, ("screen", "print")):
        assert (background, own["color"]) == ("#fff", "#000"), element[:2]


def test_cards_have_a_light_border_on_paper(whole):
    borders = {e[0]: own["border-color"] for e, _, own in computed(whole, ("screen", "print")) if own["border-color"]}
    assert {"section", "pre"} <= set(borders)
    assert all(0.3 < luminance(color) < 0.9 for color in borders.values()), borders


def test_no_rule_stands_twice(whole):
    seen = [(selector, tuple(sorted(declarations.items()))) for _, selector, declarations in read_rules(whole.css)]
    assert len(set(seen)) == len(seen)
