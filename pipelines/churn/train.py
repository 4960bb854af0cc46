"""Trains on build/churn/train.csv and writes the model as ONNX: `features` [N, 7] in, `probability` [N, 1] out."""

import csv
import json
import sys

try:
    import numpy as np
    import onnx
    import yaml
    from onnx import TensorProto, helper
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.ensemble import GradientBoostingClassifier
except ModuleNotFoundError as error:
    sys.exit(f"{error}: python3 -m pip install --requirement requirements.txt")

with open("pipelines/churn/params.yaml", encoding="utf-8") as file:
    params = yaml.safe_load(file)["train"]
with open("build/churn/train.csv", encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))

names = [name for name in rows[0] if name.startswith("features.")]
features = np.array([[row[name] for name in names] for row in rows], dtype=np.float32)
labels = np.array([row["churned"] for row in rows], dtype=np.int64)

model = GradientBoostingClassifier(
    learning_rate=params["learning_rate"],
    max_depth=params["depth"],
    n_estimators=params["trees"],
    random_state=params["seed"],
)
model.fit(features, labels)

exported = to_onnx(
    model,
    initial_types=[("features", FloatTensorType([None, len(names)]))],
    options={"zipmap": False},
    target_opset=17,
)
# Of the two classes' probabilities only that of leaving is kept, in the one output that is served.
graph = exported.graph
graph.initializer.append(helper.make_tensor("leaving", TensorProto.INT64, [1], [1]))
graph.node.append(helper.make_node("Gather", ["probabilities", "leaving"], ["probability"], axis=1))
del graph.output[:]
graph.output.append(helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1]))
onnx.checker.check_model(exported)
with open("build/churn/model.onnx", "wb") as file:
    file.write(exported.SerializeToString(deterministic=True))

training = {"rows": len(rows), "churn_rate": float(labels.mean()), "loss": float(model.train_score_[-1])}
with open("build/churn/training.json", "w", encoding="utf-8") as file:
    json.dump(training, file, indent=2)
    file.write("\n")
print(f"{len(rows)} rows, {labels.mean():.1%} of them left; the model is {exported.ByteSize()} bytes")
