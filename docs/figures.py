"""Make `docs/images/roc.svg` and `confusion_matrix.svg`, as `grader show --html` has them: python docs/figures.py

The scores are invented: 400 patients, three in ten of them ill, and a model that is right more often than not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import auc, confusion_matrix, roc_curve

from grader.report.pictures import draw, read_figure

ROOT = Path(__file__).resolve().parents[1]
THRESHOLD = 0.5


def main() -> None:
    """Draw both and write them."""
    rng = np.random.default_rng(7)
    ill = rng.random(400) < 0.3
    scores = np.clip(rng.normal(0.38 + 0.24 * ill, 0.17), 0, 1)
    for figure in (roc(ill, scores, rng), matrix(ill, scores)):
        target = ROOT / "docs" / "images" / f"{figure['kind']}.svg"
        target.write_text(draw(read_figure(figure)), encoding="utf-8")
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB")


def roc(ill: Any, scores: Any, rng: np.random.Generator) -> dict[str, Any]:
    """The curve, with intervals that hold 95 % of 500 bootstrap samples."""
    fpr, tpr, _ = roc_curve(ill, scores)
    at = np.linspace(0, 1, 101)
    curves, areas = [], []
    for _ in range(500):
        drawn = rng.integers(len(ill), size=len(ill))
        x, y, _ = roc_curve(ill[drawn], scores[drawn])
        curves.append(np.interp(at, x, y))
        areas.append(auc(x, y))
    low, high = np.percentile(curves, [2.5, 97.5], axis=0)
    ends = np.percentile(areas, [2.5, 97.5]).tolist()
    found = scores >= THRESHOLD
    return {
        "kind": "roc",
        "title": "Ill or healthy",
        "fpr": fpr.tolist(),
        "tpr": tpr.tolist(),
        "band": {"fpr": at.tolist(), "low": low.tolist(), "high": high.tolist()},
        "auc": {"value": auc(fpr, tpr), "low": ends[0], "high": ends[1]},
        "chosen": {"threshold": THRESHOLD, "fpr": found[~ill].mean().item(), "tpr": found[ill].mean().item()},
    }


def matrix(ill: Any, scores: Any) -> dict[str, Any]:
    """The counts at the threshold."""
    counts = confusion_matrix(ill, scores >= THRESHOLD).tolist()
    title = f"Ill or healthy, at the threshold of {THRESHOLD}"
    return {"kind": "confusion_matrix", "title": title, "labels": ["healthy", "ill"], "counts": counts}


if __name__ == "__main__":
    main()
