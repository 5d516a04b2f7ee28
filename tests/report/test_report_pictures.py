"""Pictures show what the figures say, to everybody, and hold nothing that a figure's author slipped in."""

from __future__ import annotations

import copy
import itertools
import json
import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from grader.report.pictures import draw, read_figure

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("confusion_matrix", "roc", "precision_recall", "calibration", "learning_curves")
TEXTS = {
    "confusion_matrix": {"Digits", "zero", "one", "true", "predicted", "50", "94 %", "3", "6 %", "12", "20 %"},
    "roc": {
        "Ill or not", "false positive rate", "true positive rate", "AUC 0.815 (0.750 to 0.870)",
        "interval of the curve", "chance", "chosen threshold 0.42",
    },
    "precision_recall": {
        "Found", "recall", "precision", "average precision 0.560 (0.500 to 0.630)", "base rate 0.310",
        "chosen threshold 0.42",
    },
    "calibration": {
        "Trust", "predicted probability", "observed frequency", "perfectly calibrated",
        "observed (Brier score 0.113)", "count", "31", "17", "52",
    },
    "learning_curves": {
        "Training: It overfits", "epoch", "loss", "training", "validation", "best epoch: 2",
    },
}  # fmt: skip
DESCRIPTIONS = {
    "confusion_matrix": "98 of 113 are predicted as what they are. True zero: 50 as zero, 3 as one. "
    "True one: 12 as zero, 48 as one.",
    "roc": "Area under the curve 0.815 (0.750 to 0.870); chance has 0.5. At the chosen threshold of 0.42 the "
    "true positive rate is 0.600 and the false positive rate 0.100.",
    "precision_recall": "Average precision 0.560 (0.500 to 0.630); the base rate is 0.310. At the chosen threshold "
    "of 0.42 the precision is 0.500 and the recall 0.600.",
    "calibration": "Brier score 0.113. Predicted, observed and how many: 0.10 came true 0.05 (31); "
    "0.50 came true 0.44 (17); 0.90 came true 0.97 (52).",
    "learning_curves": "loss over 3 epochs: training from 3.25 to 0.5, validation from 3.5 to 2.75. "
    "The best epoch is 2.",
}
HOSTILE = (
    '</title><script>alert(1)</script>"><img src=//evil.example>&amp;'
    "$\\frac{1}{0}$ \x00\x1b[2J\u202e\ud800\ufffe ]]> --> 王"
)


def parsed(figure: dict) -> ElementTree.Element:
    return ElementTree.fromstring(draw(read_figure(figure)))


def letters(svg: ElementTree.Element) -> set[str]:
    return {text for element in svg.iter(f"{SVG}text") for text in element.itertext()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_says_everything_in_letters(figures, kind):
    shown = letters(parsed(figures[kind]))
    assert TEXTS[kind] - shown == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_named_and_described_for_those_who_cannot_see_it(figures, kind):
    svg, picture = parsed(figures[kind]), read_figure(figures[kind])
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == f"{picture.name}: {picture.title}"
    assert svg[0].tag == f"{SVG}title"
    assert svg[0].text == svg.get("aria-label")
    assert svg[1].tag == f"{SVG}desc"
    assert svg[1].text == picture.describe() == DESCRIPTIONS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_needs_nothing_from_elsewhere(figures, kind):
    text, svg = draw(read_figure(figures[kind])), parsed(figures[kind])
    allowed = {
        "svg",
        "title",
        "desc",
        "defs",
        "style",
        "g",
        "path",
        "use",
        "text",
        "tspan",
        "clipPath",
        "rect",
    }
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= allowed
    for element in svg.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "href" not in name or value.startswith("#")
            assert re.findall(r"url\((?!#)", value) == []
    assert "<!" not in text
    assert "<?" not in text
    assert "@import" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_fits_a_phone(figures, kind):
    svg = parsed(figures[kind])
    _, _, width, height = map(float, str(svg.get("viewBox")).split())
    assert 250 < width < 360
    assert height < 1.4 * width
    sizes = re.findall(r"font-size: ([\d.]+)px", draw(read_figure(figures[kind])))
    assert min(map(float, sizes)) >= 7


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_figure_gives_the_same_bytes_whatever_the_settings(figures, kind):
    import matplotlib as mpl

    first = draw(read_figure(figures[kind]))
    with mpl.rc_context({"axes.facecolor": "red", "svg.hashsalt": "other", "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        assert draw(read_figure(copy.deepcopy(figures[kind]))) == first
        assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("kind", "lines"), [("roc", 2), ("precision_recall", 2), ("calibration", 2), ("learning_curves", 3)]
)
def test_lines_differ_without_colour(figures, kind, lines):
    # Those of the legend: in the axes there is also a grid.
    (legend,) = [group for group in parsed(figures[kind]).iter(f"{SVG}g") if group.get("id") == "legend_1"]
    styles = [path.get("style", "") for path in legend.iter(f"{SVG}path")]
    dashes = [re.findall("stroke-dasharray: ([^;]+)", style) for style in styles if "fill: none" in style]
    assert len(dashes) == lines == len({str(dash) for dash in dashes})


@pytest.mark.parametrize(
    ("kind", "key"),
    [*((kind, "title") for kind in KINDS), ("learning_curves", "metric"), ("learning_curves", "diagnosis")],
)
def test_hostile_texts_are_letters(figures, kind, key):
    figures[kind][key] = HOSTILE
    svg = parsed(figures[kind])
    assert [element for element in svg.iter() if element.tag.endswith(("script", "img"))] == []
    shown = "".join("".join(element.itertext()) for element in svg.iter(f"{SVG}text"))
    for text in ("<script>alert(1)</script>", r"$\frac{1}{0}$", r"\x00\x1b[2J\u202e\ud800\ufffe", "-->王"):
        assert text in re.sub(r"\s", "", shown)


def test_hostile_labels_are_letters_and_short(figures):
    figures["confusion_matrix"]["labels"] = [HOSTILE, "x" * 5000]
    svg = parsed(figures["confusion_matrix"])
    assert "</title><script" in "".join(letters(svg))
    assert "x" * 15 + "…" in letters(svg)
    assert len(draw(read_figure(figures["confusion_matrix"]))) < 10_000


def test_a_class_without_examples_has_no_shares(figures):
    figures["confusion_matrix"]["counts"] = [[5, 5], [0, 0]]
    picture = read_figure(figures["confusion_matrix"])
    assert {"50 %", "none"} <= letters(parsed(figures["confusion_matrix"]))
    assert "True one: no example." in picture.describe()


@pytest.mark.parametrize(
    ("classes", "numbers", "labels"), [(8, 128, 8), (12, 144, 12), (30, 0, 30), (60, 0, 0)]
)
def test_a_large_matrix_shows_what_has_room(figures, classes, numbers, labels):
    figure = figures["confusion_matrix"]
    figure["labels"] = [f"c{index}" for index in range(classes)]
    figure["counts"] = [[7] * classes] * classes
    shown = [element.text or "" for element in parsed(figure).iter(f"{SVG}text")]
    assert len([text for text in shown if re.match(r"\d+( %)?$", text)]) == numbers
    assert len({text for text in shown if text.startswith("c")}) == labels
    assert len(read_figure(figure).describe()) < 5000


def test_curves_without_extras_are_drawn(figures):
    figures["roc"] |= {"band": None, "chosen": None}
    figures["precision_recall"]["chosen"] = None
    figures["learning_curves"] |= {"best_epoch": None, "diagnosis": ""}
    assert not {"interval of the curve", "chosen threshold 0.42"} & letters(parsed(figures["roc"]))
    assert not {"chosen threshold 0.42"} & letters(parsed(figures["precision_recall"]))
    assert "best epoch: 2" not in letters(parsed(figures["learning_curves"]))
    assert "Training" in letters(parsed(figures["learning_curves"]))
    for kind in ("roc", "precision_recall", "learning_curves"):
        assert not re.search("chosen|best", read_figure(figures[kind]).describe())


def test_a_precision_recall_curve_goes_in_steps_whichever_way_it_is_given(figures):
    def corners(figure: dict) -> set[str]:
        (path,) = re.findall(
            r'<path d="([^"]+)"[^>]*stroke: #0072b2; stroke-width: 2', draw(read_figure(figure))
        )[:1]
        return {point.strip() for point in re.split("[ML]", path) if point.strip()}

    figure = figures["precision_recall"]
    backward = corners(figure)
    figure |= {key: figure[key][::-1] for key in ("recall", "precision")}
    assert corners(figure) == backward
    points = [tuple(map(float, point.split())) for point in backward]
    assert len(points) == 7
    xs, ys = ({point[axis] for point in points} for axis in (0, 1))
    assert (len(xs), len(ys)) == (4, 4)
    # The precision at a recall holds down to the next lower recall: the leftmost two points are at the two ends.
    leftmost = sorted(y for x, y in points if x == min(xs))
    assert leftmost[0] == min(ys)
    assert len(leftmost) == 2


def test_rounding_may_carry_a_rate_past_its_end(figures):
    figures["roc"]["tpr"][-1] = 1 + 1e-12
    assert read_figure(figures["roc"])
    figures["roc"]["tpr"][-1] = 1.01
    with pytest.raises(ValueError, match=r"roc figure: 'tpr\[3\]' must be from 0 to 1, not 1.01"):
        read_figure(figures["roc"])


def places(figure: object, path: tuple = ()) -> list[tuple]:
    """Every place in a figure where a value stands."""
    if isinstance(figure, dict):
        found = [places(value, (*path, key)) for key, value in figure.items()]
    elif isinstance(figure, list):
        found = [places(value, (*path, index)) for index, value in enumerate(figure)]
    else:
        return [path]
    return [path] * bool(path) + list(itertools.chain.from_iterable(found))


def written(path: tuple) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [object(), True, math.nan, -1, "missing"])
def test_whatever_is_malformed_is_named_by_its_key(figures, kind, wrong):
    tried = 0
    for path in places(figures[kind]):
        figure = copy.deepcopy(figures[kind])
        parent = figure
        for key in path[:-1]:
            parent = parent[key]
        text = isinstance(parent[path[-1]], str)
        if wrong == "missing" and isinstance(path[-1], str):
            del parent[path[-1]]
        elif wrong == "missing":
            parent[path[-1]] = "a text" if not text else 3
        elif wrong == -1 and (path[0] in ("train", "validation", "brier") or path[-1] == "threshold"):
            continue  # any finite number will do there
        else:
            parent[path[-1]] = wrong
        tried += 1
        name = "kind" if path == ("kind",) else written(path)
        with pytest.raises(ValueError, match=re.escape(f"'{name}'")):
            read_figure(figure)
    assert tried >= 5


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("roc", {"fpr": []}, "'fpr' must not be empty"),
        ("roc", {"tpr": [0, 1]}, "'tpr' must have 4 entries, not 2"),
        (
            "roc",
            {"band": {"fpr": [0, 1], "low": [0], "high": [1, 1]}},
            "'band.low' must have 2 entries, not 1",
        ),
        ("precision_recall", {"precision": [1]}, "'precision' must have 4 entries, not 1"),
        ("calibration", {"counts": [1, 2]}, "'counts' must have 3 entries, not 2"),
        ("calibration", {"counts": [1, 2, 0.5]}, r"'counts[2]' must be a count, not 0.5"),
        ("confusion_matrix", {"labels": []}, "'labels' must not be empty"),
        ("confusion_matrix", {"counts": [[1, 2]]}, "'counts' must have 2 entries, not 1"),
        ("confusion_matrix", {"counts": [[1, 2], [3]]}, "'counts[1]' must have 2 entries, not 1"),
        ("learning_curves", {"train": []}, "'train' must not be empty"),
        ("learning_curves", {"validation": [1]}, "'validation' must have 3 entries, not 1"),
        ("learning_curves", {"best_epoch": 0}, "'best_epoch' must be from 1 to 3, not 0"),
        ("learning_curves", {"best_epoch": 4}, "'best_epoch' must be from 1 to 3, not 4"),
        ("learning_curves", {"best_epoch": 1.5}, "'best_epoch' must be a whole number or null, not 1.5"),
    ],
)
def test_lengths_that_do_not_fit_are_told(figures, kind, changes, message):
    with pytest.raises(ValueError, match=re.escape(f"{kind} figure: {message}")):
        read_figure({**figures[kind], **changes})


@pytest.mark.parametrize("figure", [{}, {"kind": "pie"}, {"kind": ["roc"]}, None, [], "roc"])
def test_an_unknown_kind_is_told_with_those_there_are(figure):
    with pytest.raises(ValueError, match="a figure's 'kind' must be one of confusion_matrix, roc, "):
        read_figure(figure)


def test_matplotlib_is_imported_by_drawing_only_and_pyplot_never(figures):
    code = (
        "import sys\nfrom grader.report.pictures import draw, read_figure\n"
        f"pictures = [read_figure(figure) for figure in {list(figures.values())!r}]\n"
        "assert [picture.describe() for picture in pictures]\nassert 'matplotlib' not in sys.modules\n"
        "assert all(map(draw, pictures))\nassert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_figures_that_metrics_make_are_drawn():
    from grader.metrics import figures

    rng = np.random.default_rng(7)
    ill = (rng.random(300) < 0.3).astype(int)
    scores = np.clip(rng.normal(0.4 + 0.2 * ill, 0.15), 0, 1)
    made = [
        figures.confusion_matrix(ill, (scores > 0.5).astype(int), names=["healthy", "ill"]),
        figures.roc(ill, scores, threshold=0.5),
        figures.precision_recall(ill, scores, threshold=0.5),
        figures.calibration(ill, scores),
        figures.learning_curves(
            1 / np.arange(1, 300), 0.1 + 1 / np.arange(1, 300), metric="loss", target=0.05, gap=0.05,
            higher_is_better=False,
        ),
    ]  # fmt: skip
    assert {figure["kind"] for figure in made} == set(KINDS)
    for figure in made:
        picture = read_figure(json.loads(json.dumps(figure)))
        shown = list(ElementTree.fromstring(draw(picture)).iter(f"{SVG}text"))
        assert picture.title in " ".join(str(text.text) for text in shown)
