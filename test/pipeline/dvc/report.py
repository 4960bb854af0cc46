"""What DVC makes of projects: a list of folders as JSON on standard input, a list of answers on standard output.

An answer is {"stages": {address: {...}}} or {"refused": message}. Paths are relative to the project's root.
"""

import json
import logging
import os
import sys

logging.disable(logging.CRITICAL)

from dvc.dependency.param import ParamsDependency  # noqa: E402
from dvc.repo import Repo  # noqa: E402
from dvc.repo.reproduce import get_active_graph  # noqa: E402
from dvc.stage import PipelineStage  # noqa: E402


def path(root, file):
    return os.path.relpath(str(file), root).replace(os.sep, "/")


def told(root, stage):
    params = [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]
    return {
        "cmd": stage.cmd,
        "wdir": path(root, stage.wdir),
        "deps": sorted(path(root, dep.fs_path) for dep in stage.deps if dep not in params),
        "params": {path(root, dep.fs_path): sorted(set(dep.params)) or None for dep in params},
        "outs": {
            path(root, out.fs_path): {
                "cache": bool(out.use_cache),
                "persist": bool(out.persist),
                "metric": bool(out.metric),
                "plot": bool(out.plot),
            }
            for out in stage.outs
        },
        "frozen": bool(stage.frozen),
        "alwaysChanged": bool(stage.always_changed),
    }


def report(folder):
    os.chdir(folder)
    try:
        repo = Repo(folder)
        index = repo.index
        index.check_graph()
        stages = {stage.addressing: told(folder, stage) for stage in index.stages if isinstance(stage, PipelineStage)}
        # What `dvc repro` goes by: without the edges of frozen stages.
        for stage, needed in get_active_graph(index.graph).edges:
            if stage.addressing in stages and isinstance(needed, PipelineStage):
                stages[stage.addressing].setdefault("needs", []).append(needed.addressing)
        for stage in stages.values():
            stage["needs"] = sorted(stage.get("needs", []))
        return {"stages": stages}
    except Exception as error:  # noqa: BLE001
        return {"refused": f"{type(error).__name__}: {error}"}


print(json.dumps([report(os.path.realpath(folder)) for folder in json.load(sys.stdin)]))
