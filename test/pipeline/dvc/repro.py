"""What DVC does with projects: a list of requests as JSON on standard input, a list of answers on standard output.

A request is {"folder", "add": [paths], "repro": bool}. An answer is {"changed": [addresses], "metrics": {}, "params": {},
"tracked": {path: md5}} (as it stood before the repro), with "refused": message when the repro failed.
"""

import json
import logging
import os
import sys

logging.disable(logging.CRITICAL)

from dvc.repo import Repo  # noqa: E402
from dvc.stage import PipelineStage  # noqa: E402


def shown(result):
    files = result[""]["data"]
    return {path: value.get("data") for path, value in files.items()}


def answer(request):
    os.chdir(request["folder"])
    repo = Repo(request["folder"])
    for target in request.get("add", []):
        repo.add(target)
    repo = Repo(request["folder"])
    told = {
        "changed": sorted(repo.status()),
        "tracked": {
            os.path.relpath(str(out.fs_path), request["folder"]): out.hash_info.value
            for stage in repo.index.stages
            if not isinstance(stage, PipelineStage)
            for out in stage.outs
        },
        "metrics": shown(repo.metrics.show()),
        "params": shown(repo.params.show()),
    }
    if request.get("repro"):
        try:
            repo.reproduce(all_pipelines=True)
        except Exception as error:  # noqa: BLE001
            told["refused"] = f"{type(error).__name__}: {error}: {error.__cause__}"
    return told


# The commands of stages write to standard output too.
out = os.dup(1)
os.dup2(2, 1)
answers = [answer(request) for request in json.load(sys.stdin)]
os.write(out, json.dumps(answers).encode())
