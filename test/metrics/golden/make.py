"""Makes golden.json: what scikit-learn and scipy say of the cases below. Run by hand; its output is committed.

    python3 make.py > golden.json      (scikit-learn 1.9, scipy 1.17, numpy 2)
"""

import json

import numpy as np
import scipy
import sklearn
from scipy.stats import binomtest
from sklearn import metrics as m

rng = np.random.default_rng(20261121)


def binary(name, n, rate, digits=None, label=None, score=None):
    y = (rng.random(n) < rate).astype(int) if label is None else np.array(label)
    s = np.clip(0.35 * y + 0.65 * rng.random(n), 0, 1) if score is None else np.array(score)
    if digits is not None:
        s = np.round(s, digits)
    p = (s >= 0.5).astype(int)
    w = rng.integers(0, 4, n)
    w[0] = 1
    out = {"name": name, "task": "binary", "label": y.tolist(), "prediction": p.tolist(), "score": s.tolist(), "weights": w.tolist()}
    for key, weights in (("plain", None), ("weighted", w)):
        k = {"sample_weight": weights}
        values = {
            "accuracy": m.accuracy_score(y, p, **k),
            "precision": m.precision_score(y, p, zero_division=0, **k),
            "recall": m.recall_score(y, p, zero_division=0, **k),
            "f1": m.f1_score(y, p, zero_division=0, **k),
            "log_loss": m.log_loss(y, s, labels=[0, 1], **k),
            "brier": np.average((s - y) ** 2, weights=weights),
        }
        kept = y if weights is None else y[w > 0]
        values["roc_auc"] = m.roc_auc_score(y, s, **k) if len(set(kept.tolist())) == 2 else None
        out[key] = {a: None if b is None else float(b) for a, b in values.items()}
    return out


def multiclass(name, n, classes, skew):
    y = rng.choice(len(classes), n, p=skew)
    scores = rng.dirichlet(np.ones(len(classes)), n) * 0.6
    scores[np.arange(n), y] += 0.4
    p = scores.argmax(1)
    names = np.array(classes)
    out = {"name": name, "task": "multiclass", "classes": classes, "label": names[y].tolist(), "prediction": names[p].tolist(), "scores": scores.tolist()}
    values = {
        "accuracy": m.accuracy_score(y, p),
        "macro_f1": m.f1_score(y, p, average="macro", zero_division=0),
        "micro_f1": m.f1_score(y, p, average="micro", zero_division=0),
        "weighted_f1": m.f1_score(y, p, average="weighted", zero_division=0),
        "log_loss": m.log_loss(y, scores, labels=range(len(classes))),
    }
    for i, c in enumerate(classes):
        if not ((y == i).any() or (p == i).any()):
            continue
        values[f"precision.{c}"] = m.precision_score(y, p, labels=[i], average="macro", zero_division=0)
        values[f"recall.{c}"] = m.recall_score(y, p, labels=[i], average="macro", zero_division=0)
        values[f"f1.{c}"] = m.f1_score(y, p, labels=[i], average="macro", zero_division=0)
    out["plain"] = {a: float(b) for a, b in values.items()}
    return out


def regression(name, n):
    y = rng.normal(10, 4, n)
    p = y + rng.normal(0, 1.5, n)
    w = rng.integers(0, 4, n)
    out = {"name": name, "task": "regression", "label": y.tolist(), "prediction": p.tolist(), "weights": w.tolist()}
    for key, weights in (("plain", None), ("weighted", w)):
        k = {"sample_weight": weights}
        out[key] = {
            "mae": float(m.mean_absolute_error(y, p, **k)),
            "rmse": float(m.root_mean_squared_error(y, p, **k)),
            "r2": float(m.r2_score(y, p, **k)),
        }
    return out


cases = [
    binary("balanced", 60, 0.5),
    binary("rare positives, tied scores", 80, 0.1, digits=1),
    binary("certain scores", 6, 0.5, label=[0, 1, 1, 0, 1, 0], score=[0, 1, 0, 1, 1, 0]),
    binary("one class only", 20, 1.0),
    binary("nothing predicted positive", 8, 0.5, label=[1, 0, 0, 1, 0, 0, 0, 1], score=[0.2, 0.1, 0.3, 0.4, 0.2, 0.2, 0.1, 0.3]),
    multiclass("three classes", 90, ["a", "b", "c"], [0.5, 0.3, 0.2]),
    multiclass("a class that is neither label nor guess", 40, ["10", "2", "x y", "z"], [0.6, 0.4, 0.0, 0.0]),
    regression("noise", 50),
]
pairs = [(0, 0), (3, 3), (0, 5), (1, 9), (12, 4), (40, 25), (900, 1000), (30000, 31000), (0, 2000)]
holm = [[0.01, 0.04, 0.03, 0.005], [0.2, 0.2, 0.01], [0.05], [0.9, 0.8, 0.0001, 0.02, 0.02]]


def step_down(values):
    order = np.argsort(values, kind="stable")
    adjusted = np.minimum(1, np.maximum.accumulate(np.array(values)[order] * (len(values) - np.arange(len(values)))))
    out = np.empty(len(values))
    out[order] = adjusted
    return out.tolist()


quantiles = np.sort(rng.normal(size=101))
print(
    json.dumps(
        {
            "made_with": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__},
            "cases": cases,
            "mcnemar": [[a, b, 1.0 if a + b == 0 else float(binomtest(min(a, b), a + b, 0.5).pvalue)] for a, b in pairs],
            "holm": [[values, step_down(values)] for values in holm],
            "quantiles": {"values": quantiles.tolist(), "at": [[q, float(np.quantile(quantiles, q))] for q in (0, 0.025, 0.05, 0.5, 0.975, 1)]},
        }
    )
)
