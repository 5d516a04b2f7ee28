"""Metrics for hidden suites: true labels that stay in the referee, against what a submission returns.

Import it at the top of a suite, so that the warm process has scikit-learn before it forks. docs/metrics.md tells what
there is and which conventions hold.
"""

from grader.metrics.calibration import brier_score_loss, calibration_curve, expected_calibration_error
from grader.metrics.delong import delong_variance
from grader.metrics.estimate import Estimate, Interval
from grader.metrics.inputs import BadPredictions
from grader.metrics.labels import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    fbeta_score,
    matthews_corrcoef,
    multilabel_confusion_matrix,
    precision_score,
    recall_score,
    specificity_score,
)
from grader.metrics.scores import (
    average_precision_score,
    lift_curve,
    lift_score,
    precision_recall_curve,
    roc_auc_score,
    roc_band,
    roc_curve,
)
from grader.metrics.thresholds import choose_threshold, cost_loss

roc_auc = roc_auc_score

__all__ = [
    "BadPredictions",
    "Estimate",
    "Interval",
    "accuracy_score",
    "average_precision_score",
    "balanced_accuracy_score",
    "brier_score_loss",
    "calibration_curve",
    "choose_threshold",
    "cohen_kappa_score",
    "confusion_matrix",
    "cost_loss",
    "delong_variance",
    "expected_calibration_error",
    "fbeta_score",
    "lift_curve",
    "lift_score",
    "matthews_corrcoef",
    "multilabel_confusion_matrix",
    "precision_recall_curve",
    "precision_score",
    "recall_score",
    "roc_auc",
    "roc_auc_score",
    "roc_band",
    "roc_curve",
    "specificity_score",
]
