"""`python3 peer.py FOLDER RESAMPLES SHARE`: what ours.ts computes, as scikit-learn and numpy would be used for it.

Of the samples SHARE are drawn, on all examples and in each slice. peer.json says how long these took, so that the
rest can be reckoned: every sample is the same work.
"""
import json
import sys
import time

import numpy as np
from sklearn import metrics as m

folder, resamples, share = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
label = np.fromfile(f"{folder}/label", np.uint8)
slices = np.fromfile(f"{folder}/slice", np.int32)
sides = [np.fromfile(f"{folder}/{side}", np.float64) for side in ("base", "head")]
rng = np.random.default_rng(0)
seconds = 0.0


def values(y, score, weight):
    called = score >= 0.5
    return np.array(
        [
            m.accuracy_score(y, called, sample_weight=weight),
            m.precision_score(y, called, sample_weight=weight, zero_division=0),
            m.f1_score(y, called, sample_weight=weight, zero_division=0),
            m.roc_auc_score(y, score, sample_weight=weight),
            m.log_loss(y, score, sample_weight=weight),
            m.brier_score_loss(y, score, sample_weight=weight),
        ]
    )


def interval(rows):
    """Percentile interval of each metric's difference, resampled within each class."""
    global seconds
    y, base, head = label[rows], sides[0][rows], sides[1][rows]
    classes = [np.flatnonzero(y == one) for one in (0, 1)]
    differences = np.empty((share, 6))
    begun = time.perf_counter()
    for sample in range(share):
        weight = np.zeros(len(rows))
        for members in classes:
            weight[members] = np.bincount(rng.integers(0, len(members), len(members)), minlength=len(members))
        differences[sample] = values(y, head, weight) - values(y, base, weight)
    seconds += time.perf_counter() - begun
    return np.quantile(differences, [0.025, 0.975], axis=0)


print(interval(np.arange(len(label))).tolist())
for one in range(slices.max() + 1):
    print(interval(np.flatnonzero(slices == one)).tolist())
with open(f"{folder}/peer.json", "w") as file:
    json.dump({"timed": share, "of": resamples, "seconds": seconds}, file)
