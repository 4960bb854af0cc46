"""Prints, as JSON, random inputs and what scikit-learn says of them (numpy, where scikit-learn has no such metric).

    python3 judge.py > cases.json        python3 judge.py few > golden/judged.json

A value is null where scikit-learn raises, warns or gives NaN, and where no example has weight.
"""

import itertools
import json
import math
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics as m

rng = np.random.default_rng(20261122)
VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])


def value(of, w):
    if w is not None and np.sum(w) == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A class that is predicted and never true is left out of the mean: a value all the same.
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", message="A single label was found")
        try:
            found = float(of())
        except (ValueError, ZeroDivisionError, UserWarning, RuntimeWarning, IndexError):
            return None
    return found if math.isfinite(found) else None


def case(task, name, w, values, **data):
    listed = {key: one.tolist() if isinstance(one, np.ndarray) else one for key, one in data.items()}
    return {
        "task": task,
        "name": name,
        **listed,
        "weight": None if w is None else w.tolist(),
        "values": {key: value(of, w) if len(data["label"]) > 0 else None for key, of in values.items()},
    }


def weights(n, kind):
    if kind == 0:
        return None
    if kind == 1:
        return rng.integers(0, 3, n).astype(float)
    if kind == 2:
        return rng.random(n) * 5
    return np.zeros(n)


def ece(y, s, w):
    w = np.ones(len(y)) if w is None else w
    edges = np.arange(16) / 15
    total = 0.0
    for b in range(15):
        inside = (s > edges[b]) & (s <= edges[b + 1]) if b > 0 else s <= edges[1]
        if w[inside].sum() > 0:
            gap = abs(np.average(y[inside], weights=w[inside]) - np.average(s[inside], weights=w[inside]))
            total += gap * w[inside].sum()
    return total / w.sum()


def binary_values(y, p, s, w):
    k = {"sample_weight": w}
    z = {**k, "zero_division": 0}
    return {
        "accuracy": lambda: m.accuracy_score(y, p, **k),
        "balanced_accuracy": lambda: m.balanced_accuracy_score(y, p, **k),
        "precision": lambda: m.precision_score(y, p, **z),
        "recall": lambda: m.recall_score(y, p, **z),
        "specificity": lambda: m.recall_score(y, p, pos_label=0, **z),
        "f1": lambda: m.f1_score(y, p, **z),
        "f2": lambda: m.fbeta_score(y, p, beta=2, **z),
        "f0.5": lambda: m.fbeta_score(y, p, beta=0.5, **z),
        "mcc": lambda: m.matthews_corrcoef(y, p, **k),
        "roc_auc": lambda: m.roc_auc_score(y, s, **k),
        "average_precision": lambda: m.average_precision_score(y, s, **k),
        "log_loss": lambda: m.log_loss(y, s, labels=[0, 1], **k),
        "brier": lambda: m.brier_score_loss(y, s, pos_label=1, **k),
        "ece": lambda: ece(y, s, w),
    }


def binary(index):
    n = int(rng.choice([0, 1, 2, 5, 30, 200])) if index < 24 else int(rng.integers(2, 120))
    rate = [0.5, 0.1, 0.0, 1.0, 0.9][index % 5]
    y = (rng.random(n) < rate).astype(int)
    s = np.clip(0.3 * y + 0.7 * rng.random(n), 0, 1)
    if index % 3 == 0:
        s = np.round(s, 1)
    if index % 7 == 0:
        s = np.round(s)
    p = (s >= [0.5, 0.9, 0.1][index % 3]).astype(int)
    w = weights(n, 3 if index == 11 else index % 3 if index % 2 else 0)
    return case("binary", f"binary {index}", w, binary_values(y, p, s, w), label=y, prediction=p, score=s)


def multiclass(index):
    n = int(rng.integers(0, 4)) if index < 8 else int(rng.integers(4, 150))
    k = int(rng.integers(3, 7))
    skew = rng.dirichlet(np.ones(k) * [5, 0.3, 1][index % 3])
    y = rng.choice(k, n, p=skew)
    if index % 11 == 0:
        y[:] = 1
    raw = rng.dirichlet(np.ones(k), n) * 0.6
    raw[np.arange(n), y] += 0.4
    if index % 4 == 0:
        raw = np.round(raw * 4) / 4 + (np.round(raw * 4).sum(1, keepdims=True) == 0)
    s = raw / raw.sum(1, keepdims=True) if n > 0 else raw
    p = s.argmax(1) if n > 0 else y.copy()
    w = weights(n, 3 if index == 13 else index % 3)
    z = {"sample_weight": w, "zero_division": 0}
    values = {
        "accuracy": lambda: m.accuracy_score(y, p, sample_weight=w),
        "balanced_accuracy": lambda: m.balanced_accuracy_score(y, p, sample_weight=w),
        "mcc": lambda: m.matthews_corrcoef(y, p, sample_weight=w),
        "log_loss": lambda: m.log_loss(y, s, labels=range(k), sample_weight=w),
        "roc_auc_ovr": lambda: m.roc_auc_score(y, s, multi_class="ovr", average="macro", labels=range(k), sample_weight=w),
    }
    of = {"precision": m.precision_score, "recall": m.recall_score, "f1": m.f1_score}
    for kind, score in of.items():
        for average in ("macro", "micro", "weighted"):
            values[f"{average}_{kind}"] = lambda score=score, average=average: score(y, p, average=average, **z)
        for one in range(k):
            values[f"{kind}.{one}"] = lambda score=score, one=one: score(y, p, labels=[one], average="macro", **z)
    for top in (1, 2, 3, 4):
        values[f"top_{top}_accuracy"] = lambda top=top: m.top_k_accuracy_score(y, s, k=top, labels=range(k), sample_weight=w)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = m.confusion_matrix(y, p, labels=range(k), sample_weight=w) if n > 0 and (w is None or w.sum() > 0) else np.zeros((k, k))
    return case("multiclass", f"multiclass {index}", w, values, label=y, prediction=p, scores=s.T, confusion=cells, classes=k)


def median(e, w):
    """averaged inverted CDF, which scikit-learn has from 1.8 on"""
    order = [i for i in np.argsort(e, kind="stable") if w[i] > 0]
    below = np.cumsum([w[i] for i in order])
    half = w.sum() / 2
    at = int(np.searchsorted(below, half - 1e-15))
    if below[at] - half > 1e-15:
        return e[order[at]]
    return (e[order[at]] + e[order[min(at + 1, len(order) - 1)]]) / 2


def regression_values(y, p, w):
    k = {"sample_weight": w}
    kept = slice(None) if w is None else w > 0
    old = w is not None and VERSION < (1, 8)
    return {
        "mae": lambda: m.mean_absolute_error(y, p, **k),
        "mse": lambda: m.mean_squared_error(y, p, **k),
        "rmse": lambda: m.root_mean_squared_error(y, p, **k),
        "r2": lambda: m.r2_score(y, p, **k),
        "mape": lambda: m.mean_absolute_percentage_error(y, p, **k),
        "median_ae": lambda: median(np.abs(y - p), w) if old else m.median_absolute_error(y, p, **k),
        "max_error": lambda: m.max_error(y[kept], p[kept]),
        "quantile_loss.0.1": lambda: m.mean_pinball_loss(y, p, alpha=0.1, **k),
        "quantile_loss.0.95": lambda: m.mean_pinball_loss(y, p, alpha=0.95, **k),
    }


def regression(index):
    n = int(rng.integers(0, 4)) if index < 10 else int(rng.integers(4, 150))
    offset = [0, 1e6, -40][index % 3]
    y = offset + rng.normal(0, 4, n)
    p = y + rng.normal(0, 1.5, n)
    if index % 4 == 0:
        y, p = np.round(y), np.round(p)
    if index % 9 == 5:
        y[:] = 0.5  # of labels that are equal but not exact in binary, the spread is rounding alone
        p = y.copy() if index % 2 else p
    w = weights(n, 3 if index == 17 else index % 3 if index % 5 else 0)
    return case("regression", f"regression {index}", w, regression_values(y, p, w), label=y, prediction=p)


def orders(scores):
    """every order by falling score"""
    runs = [[i for i, s in enumerate(scores) if s == one] for one in sorted(set(scores), reverse=True)]
    for choice in itertools.product(*[itertools.permutations(run) for run in runs]):
        yield [i for run in choice for i in run]


def over_orders(y, s, of):
    found = [of([y[i] > 0 for i in order]) for order in orders(s)]
    return sum(found) / len(found)


def cut_ap(k):
    def of(hits):
        return sum(sum(hits[: i + 1]) / (i + 1) for i in range(min(k, len(hits))) if hits[i]) / min(sum(hits), k)

    return of


def mean_over_queries(of, query, y, s, w, least=1, relevant=True):
    total = weight = 0.0
    for one in sorted(set(query.tolist())):
        at = query == one
        if at.sum() < least or (relevant and not (y[at] > 0).any()):
            continue
        share = 1.0 if w is None else w[at].mean()
        total += share * of(y[at].tolist(), s[at].tolist())
        weight += share
    return total / weight


def ranking(index):
    tied = index % 2 == 0
    sizes = rng.integers(1, 6 if tied else 25, int(rng.integers(1, 12)))
    query = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = len(query)
    y = rng.integers(0, 4, n).astype(float) * (rng.random(n) < 0.6)
    s = np.round(rng.random(n) * 2) / 2 if tied else rng.permutation(n) / n
    w = weights(n, index % 3)
    each = lambda of, **rest: lambda: mean_over_queries(of, query, y, s, w, **rest)
    values = {
        "ndcg": each(lambda a, b: m.ndcg_score([a], [b]), least=2, relevant=False),
        "ndcg@3": each(lambda a, b: m.ndcg_score([a], [b], k=3), least=2, relevant=False),
        "ndcg@10": each(lambda a, b: m.ndcg_score([a], [b], k=10), least=2, relevant=False),
        "map": each(
            lambda a, b: over_orders(a, b, cut_ap(10**6))
            if tied
            else m.average_precision_score(np.array(a) > 0, b)
        ),
        "map@2": each(lambda a, b: over_orders(a, b, cut_ap(2))),
        "recall@2": each(lambda a, b: over_orders(a, b, lambda hits: sum(hits[:2]) / sum(hits))),
        "mrr": each(lambda a, b: over_orders(a, b, lambda hits: 1 / (hits.index(True) + 1))),
        "mrr@2": each(lambda a, b: over_orders(a, b, lambda hits: 1 / (hits.index(True) + 1) if any(hits[:2]) else 0)),
    }
    return case("ranking", f"ranking {index}", w, values, query=query, label=y, score=s)


def large():
    """a million rows that both languages make alike, so that none has to be carried over"""
    n = 1_000_000
    part = [((np.arange(n, dtype=np.uint64) * a) % np.uint64(2**32)).astype(float) / 2**32 for a in (2654435761, 2246822519, 3266489917)]
    y, w = (part[0] < 0.2).astype(int), part[2] * 3
    s = 0.3 * y + 0.7 * part[1]
    truth, guess = 1e6 + part[0], 1e6 + part[0] + (part[1] - 0.5) * 0.01
    return {
        "binary": {key: value(of, w) for key, of in binary_values(y, (s >= 0.5).astype(int), s, w).items()},
        "regression": {key: value(of, w) for key, of in regression_values(truth, guess, w).items()},
    }


few = sys.argv[1:] == ["few"]  # what golden/judged.json holds
counts = (6, 4, 6, 4) if few else (90, 70, 70, 60)
skip = (24, 8, 10, 0) if few else (0, 0, 0, 0)
makers = (binary, multiclass, regression, ranking)
cases = [make(index) for make, start, n in zip(makers, skip, counts) for index in range(start, start + n)]
out = {"scikit-learn": sklearn.__version__, "cases": cases, **({} if few else {"large": large()})}
json.dump(out, sys.stdout, allow_nan=False)
print()
