/** A project: path -> text. Files that deps name are there, so that both sides see a whole repository. */
export type Files = Readonly<Record<string, string>>;

const params = `lr: 0.01
epochs: 10
seed: 1.0
tiny: 0.00001
huge: 1e16
flag: true
off: false
empty: null
name: net work
list: [1, 2.0, three]
train:
  lr: 0.5
  opt: {name: adam, betas: [0.9, 0.999]}
models:
  us: {epochs: 10, file: us.csv}
  gb: {epochs: 15, file: gb.csv}
`;
const withParams = (yaml: string, more: Files = {}): Files => ({ "params.yaml": params, "dvc.yaml": yaml, ...more });

/** Projects that both read. */
export const accepted: Readonly<Record<string, Files>> = {
  "one stage": { "dvc.yaml": "stages:\n  a:\n    cmd: echo a > a\n    outs: [a]\n" },
  "no stages": { "dvc.yaml": "plots:\n  - curve.csv\n" },
  "a chain": {
    "dvc.yaml": `stages:
  prepare: {cmd: cp raw clean, deps: [raw], outs: [clean]}
  train: {cmd: cp clean model, deps: [clean], outs: [model]}
`,
    raw: "x",
  },
  "stages in any order": {
    "dvc.yaml": `stages:
  train: {cmd: cp clean model, deps: [clean], outs: [model]}
  prepare: {cmd: cp raw clean, deps: [raw], outs: [clean]}
`,
    raw: "x",
  },
  "a frozen stage": {
    "dvc.yaml":
      "stages:\n  a: {cmd: x, outs: [a]}\n  b: {cmd: y, deps: [a, nowhere], outs: [b], frozen: true}\n  c: {cmd: z, deps: [b], outs: [c]}\n",
  },
  "a frozen group": {
    "dvc.yaml": "stages:\n  a:\n    foreach: [1, 2]\n    do: {cmd: 'x ${item}', outs: ['a${item}'], frozen: true}\n",
  },
  "frozen across files": {
    "dvc.yaml": "stages:\n  a: {cmd: x, deps: [sub/o], outs: [a], frozen: true}\n",
    "sub/dvc.yaml": "stages:\n  b: {cmd: y, outs: [o]}\n  c: {cmd: z, deps: [../a], outs: [c]}\n",
  },
  "what stands beside the stages": {
    "dvc.yaml":
      "vars: [{n: 1}]\nmetrics: ['m${n}.json']\nparams: [conf.yaml]\nartifacts: {best: {path: 'a', type: model}}\nstages:\n  a: {cmd: x, outs: [a]}\n",
    "conf.yaml": "x: 1\n",
  },
  "a list of commands": { "dvc.yaml": "stages:\n  a:\n    cmd:\n      - echo 1\n      - echo 2 > a\n    outs: [a]\n" },
  "a dep inside of an output": {
    "dvc.yaml": "stages:\n  a: {cmd: x, outs: [out]}\n  b: {cmd: y, deps: [out/part/f], outs: [b]}\n",
  },
  "a dep around outputs": {
    "dvc.yaml":
      "stages:\n  a: {cmd: x, outs: [all/a]}\n  b: {cmd: x, outs: [all/b]}\n  c: {cmd: y, deps: [all], outs: [c]}\n",
  },
  "flags of outputs": {
    "dvc.yaml": `stages:
  a:
    cmd: x
    outs:
      - plain
      - git: {cache: false}
      - kept: {persist: true}
      - both: {cache: false, persist: true}
      - told: {desc: what it is, type: model, labels: [a, b], meta: {k: 1}}
      - far: {push: false}
`,
  },
  "metrics and plots": {
    "dvc.yaml": `stages:
  a:
    cmd: x
    metrics:
      - metrics.json: {cache: false}
      - other.json
    plots:
      - curve.csv: {cache: false, x: step, y: loss, title: Loss, x_label: s, y_label: l, template: linear, header: true}
      - more.csv
`,
  },
  wdir: { "dvc.yaml": "stages:\n  a: {cmd: x, wdir: sub, deps: [in], outs: [out]}\n", "sub/in": "x" },
  "wdir and the way up": {
    "dvc.yaml": "stages:\n  a: {cmd: x, wdir: sub, deps: [../in], outs: [../build/out]}\n",
    in: "x",
    "sub/f": "x",
  },
  "wdir of the root": { "dvc.yaml": "stages:\n  a: {cmd: x, wdir: ., deps: [./in], outs: [out/]}\n", in: "x" },
  "params by name": withParams("stages:\n  a: {cmd: x, params: [lr, train.lr], outs: [a]}\n"),
  "params of other files": withParams(
    `stages:
  a:
    cmd: x
    params:
      - epochs
      - conf.json: [a, b.c]
      - conf.toml: [x]
      - whole.yaml:
      - more.yaml: []
    outs: [a]
`,
    { "conf.json": '{"a": 1, "b": {"c": 2}}', "conf.toml": "x = 1\n", "whole.yaml": "a: 1\n", "more.yaml": "b: 1\n" },
  ),
  "params of a whole file and of its parts": withParams(
    "stages:\n  a: {cmd: x, params: [lr, {params.yaml: null}, {params.yaml: [epochs]}], outs: [a]}\n",
  ),
  "params listed twice": withParams("stages:\n  a: {cmd: x, params: [lr, lr, {params.yaml: [epochs]}], outs: [a]}\n"),
  "params with wdir": {
    "dvc.yaml": "stages:\n  a: {cmd: x, wdir: sub, params: [lr], outs: [a]}\n",
    "sub/params.yaml": "lr: 1\n",
  },
  "always changed": { "dvc.yaml": "stages:\n  a: {cmd: date > a, always_changed: true, outs: [a]}\n" },
  "desc and meta": { "dvc.yaml": "stages:\n  a: {cmd: x, desc: what, meta: {any: [1, {b: 2}]}, outs: [a]}\n" },
  "without outputs": { "dvc.yaml": "stages:\n  a: {cmd: echo hi}\n" },
  "top-level sections": withParams(`params: [conf/a.yaml]
metrics: [m.json]
plots:
  - curve.csv
  - named:
      x: step
      y: {curve.csv: [loss, acc]}
      template: linear
artifacts:
  net: {path: model.onnx, type: model, desc: "a ${"$"}{name}", labels: [x], meta: {a: 1}}
stages:
  a: {cmd: x, outs: [model.onnx]}
`),
  "merge keys and anchors": {
    "dvc.yaml": `stages:
  a: &a
    cmd: x
    deps: &deps [in]
    outs: [a]
  b:
    <<: *a
    outs: [b]
  c: {cmd: z, deps: *deps, outs: [c]}
`,
    in: "x",
  },
  "folded and literal commands": {
    "dvc.yaml":
      "stages:\n  a:\n    cmd: >-\n      python train.py\n      --lr 1\n    outs: [a]\n  b:\n    cmd: |\n      set -e\n      echo b > b\n    outs: [b]\n",
  },
  "a value in a command": withParams("stages:\n  a: {cmd: 'train --lr ${lr} --epochs ${epochs}', outs: [a]}\n"),
  "how numbers are spelled": withParams(
    "stages:\n  a: {cmd: 'x ${seed} ${tiny} ${huge} ${lr} ${epochs} ${list[1]}', outs: [a]}\n",
  ),
  "how others are spelled": withParams("stages:\n  a: {cmd: 'x ${flag} ${off} ${empty} ${name}', outs: [a]}\n"),
  "members and positions": withParams(
    "stages:\n  a: {cmd: 'x ${train.opt.name} ${list[0]} ${list.2} ${train.opt.betas[-1]}', outs: [a]}\n",
  ),
  "blanks in an expression": withParams("stages:\n  a: {cmd: 'x ${ lr } ${ train . lr }', outs: [a]}\n"),
  "an escaped expression": withParams("stages:\n  a: {cmd: 'x \\${HOME} ${lr}', outs: [a]}\n"),
  "two in one word": withParams("stages:\n  a: {cmd: x, outs: ['${train.opt.name}-${epochs}.bin']}\n"),
  "paths with values": withParams(
    "stages:\n  a: {cmd: x, deps: ['${models.us.file}'], outs: ['out/${train.opt.name}']}\n",
    { "us.csv": "x" },
  ),
  "flags under a path with a value": withParams(
    "stages:\n  a:\n    cmd: x\n    outs:\n      - '${train.opt.name}.bin': {cache: false}\n",
  ),
  "wdir with a value": withParams("stages:\n  a: {cmd: x, wdir: '${models.us.file}.d', outs: [a]}\n", {
    "us.csv.d/f": "x",
  }),
  "params with values": withParams("stages:\n  a: {cmd: x, params: ['models.${which}.epochs'], outs: [a]}\n", {
    "params.yaml": `${params}which: us\n`,
  }),
  "a dictionary as options": withParams("stages:\n  a: {cmd: 'train ${train}', outs: [a]}\n"),
  "a dictionary as options, all kinds": {
    "params.yaml": `d:
  text: plain
  spaced: two words
  quote: it's
  empty: ""
  int: 3
  float: 1.0
  yes: true
  no: false
  nothing: null
  list: [1, a b, 2.5, true]
  nested: {deep: {er: 1}}
`,
    "dvc.yaml": "stages:\n  a: {cmd: 'x ${d} --end', outs: [a]}\n",
  },
  "a dictionary as options, DVC's other spelling": {
    ".dvc/config": "[parsing]\n    bool = boolean_optional\n    list = append\n",
    "params.yaml": "d: {yes: true, no: false, list: [1, a b]}\n",
    "dvc.yaml": "stages:\n  a: {cmd: 'x ${d}', outs: [a]}\n",
  },
  "vars as a dictionary": {
    "dvc.yaml":
      "vars:\n  - {lr: 0.1, deep: {a: 1}}\n  - {deep: {b: 2}}\nstages:\n  a: {cmd: 'x ${lr} ${deep.a} ${deep.b}', outs: [a]}\n",
  },
  "vars from files": {
    "dvc.yaml": "vars: [conf.json, conf.toml, other.yaml]\nstages:\n  a: {cmd: 'x ${a} ${b} ${c} ${f}', outs: [a]}\n",
    "conf.json": '{"a": 1.0}',
    "conf.toml": "b = 2\nf = 2.0\n",
    "other.yaml": "c: 3\n",
  },
  "vars from parts of files": {
    "dvc.yaml": "vars: ['conf.yaml:a,b']\nstages:\n  a: {cmd: 'x ${a} ${b.c}', outs: [a]}\n",
    "conf.yaml": "a: 1\nb: {c: 2}\nz: 3\n",
  },
  "vars of a file in two parts": {
    "dvc.yaml": "vars: ['conf.yaml:a', 'conf.yaml:b']\nstages:\n  a: {cmd: 'x ${a} ${b}', outs: [a]}\n",
    "conf.yaml": "a: 1\nb: 2\n",
  },
  "params.yaml named again": withParams("vars: [params.yaml]\nstages:\n  a: {cmd: 'x ${lr}', outs: [a]}\n"),
  "vars merged into params.yaml": withParams(
    "vars:\n  - train: {more: 7}\nstages:\n  a: {cmd: 'x ${train.more} ${train.lr}', outs: [a]}\n",
  ),
  "vars of a stage": withParams(
    "stages:\n  a: {cmd: 'x ${own} ${lr}', vars: [{own: 5}], outs: [a]}\n  b: {cmd: 'x ${own}', vars: [{own: 6}], outs: [b]}\n",
  ),
  "vars of a stage from a file beside its wdir": {
    "dvc.yaml": "stages:\n  a: {cmd: 'x ${own}', wdir: sub, vars: [conf.yaml], outs: [a]}\n",
    "sub/conf.yaml": "own: 5\n",
  },
  "foreach over a list": {
    "dvc.yaml":
      "stages:\n  a:\n    foreach: [us, gb, 1, 2.0, true]\n    do: {cmd: 'x ${item}', outs: ['out-${item}']}\n",
  },
  "foreach over a list of dictionaries": {
    "dvc.yaml":
      "stages:\n  a:\n    foreach:\n      - {n: us, e: 1}\n      - {n: gb, e: 2.0}\n    do: {cmd: 'x ${item.n} ${item.e}', outs: ['${item.n}']}\n",
  },
  "foreach over a dictionary": {
    "dvc.yaml":
      "stages:\n  a:\n    foreach:\n      us: {e: 1}\n      gb: {e: 2}\n    do: {cmd: 'x ${key} ${item.e}', outs: ['${key}']}\n",
  },
  "foreach over a variable": withParams(
    "stages:\n  a:\n    foreach: ${models}\n    do: {cmd: 'x ${key} ${item.epochs}', deps: ['${item.file}'], outs: ['${key}.bin']}\n",
    { "us.csv": "x", "gb.csv": "x" },
  ),
  "foreach over a list in a variable": withParams(
    "stages:\n  a:\n    foreach: ${list}\n    do: {cmd: 'x ${item}', outs: ['out.${item}']}\n",
  ),
  "foreach with values in its items": withParams(
    "stages:\n  a:\n    foreach: ['${epochs}', '${train.opt.name}']\n    do: {cmd: 'x ${item}', outs: ['out.${item}']}\n",
  ),
  "foreach with vars, wdir and params": withParams(
    "stages:\n  a:\n    foreach: [us, gb]\n    do: {cmd: 'x ${own}', wdir: '${item}', vars: [{own: 1}], params: ['epochs_${item}'], outs: [a]}\n",
    { "us/params.yaml": "epochs_us: 1\n", "gb/params.yaml": "epochs_gb: 1\n" },
  ),
  "a stage after a group": {
    "dvc.yaml":
      "stages:\n  a:\n    foreach: [1, 2, 3]\n    do: {cmd: x, outs: ['parts/${item}']}\n  all: {cmd: y, deps: [parts], outs: [all]}\n",
  },
  "a group after a group": {
    "dvc.yaml":
      "stages:\n  a:\n    foreach: [1, 2]\n    do: {cmd: x, outs: ['a/${item}']}\n  b:\n    foreach: [1, 2]\n    do: {cmd: y, deps: ['a/${item}'], outs: ['b/${item}']}\n",
  },
  "an empty foreach": { "dvc.yaml": "stages:\n  a:\n    foreach: []\n    do: {cmd: x}\n" },
  "foreach over what comes twice": {
    "dvc.yaml": "stages:\n  a:\n    foreach: [1, '1']\n    do: {cmd: 'x ${item}', outs: ['o${item}']}\n",
  },
  "a matrix": {
    "dvc.yaml":
      "stages:\n  a:\n    matrix: {model: [cnn, svm], lr: [0.1, 1.0]}\n    cmd: 'x ${item.model} ${item.lr} ${key}'\n    outs: ['${key}']\n",
  },
  "a matrix of dictionaries": {
    "dvc.yaml":
      "stages:\n  a:\n    matrix:\n      m: [{n: x, e: 1}, {n: y, e: 2}]\n      s: [1, 2]\n    cmd: 'x ${item.m.n} ${item.m.e} ${item.s}'\n    outs: ['out/${key}']\n",
  },
  "a matrix from variables": withParams(
    "stages:\n  a:\n    matrix: {x: '${list}', y: [a, '${train.opt.name}']}\n    cmd: 'x ${item.x} ${item.y}'\n    outs: ['${key}']\n",
  ),
  "a matrix of one axis": {
    "dvc.yaml": "stages:\n  a:\n    matrix: {seed: [1, 2]}\n    cmd: x ${item.seed}\n    outs: ['o-${item.seed}']\n",
  },
  "a matrix with an empty axis": { "dvc.yaml": "stages:\n  a:\n    matrix: {s: []}\n    cmd: x\n" },
  "files in folders": {
    "dvc.yaml": "stages:\n  a: {cmd: x, outs: [data/out]}\n",
    "sub/dvc.yaml": "stages:\n  b: {cmd: y, deps: [../data/out, own], outs: [b]}\n",
    "sub/own": "x",
  },
  "files that need each other": {
    "dvc.yaml": "stages:\n  last: {cmd: z, deps: [one/o, two/o], outs: [z]}\n",
    "one/dvc.yaml": "stages:\n  s: {cmd: x, outs: [o]}\n",
    "two/dvc.yaml": "stages:\n  s: {cmd: y, deps: [../one/o], outs: [o]}\n",
  },
  "variables of a folder's own": {
    "dvc.yaml": "stages:\n  a: {cmd: 'x ${lr}', outs: [a]}\n",
    "params.yaml": "lr: 1\n",
    "sub/dvc.yaml": "vars: [../shared.yaml]\nstages:\n  a: {cmd: 'x ${lr} ${s}', params: [lr], outs: [a]}\n",
    "sub/params.yaml": "lr: 2\n",
    "shared.yaml": "s: 3\n",
  },
  "variables and params in Python": {
    "conf.py": `import os
LR = 0.1
N: int = -5
NAMES = ["a", 'b']
PAIR = [1, 2.0]
D = {"k": 1, "deep": {"x": True}}
CALLED = os.getenv("HOME")
A = B = 3
RAW = r"a\\n" "b"
BIG = 1_000


class Train:
    """words"""

    epochs = 10  # passes

    class Opt:
        name = "adam"

    def __init__(self):
        self.decay = 1e-5
        other = 3


def late():
    hidden = 1
`,
    "dvc.yaml":
      "vars: [conf.py]\nstages:\n  a:\n    cmd: 'x ${LR} ${N} ${NAMES[1]} ${PAIR[1]} ${D} ${RAW} ${BIG} ${Train.epochs} ${Train.Opt.name} ${Train.decay}'\n    params: [{conf.py: [LR, Train.epochs]}]\n    outs: [a]\n",
  },
  "the shape of a getting-started project": {
    "params.yaml":
      "prepare: {split: 0.20, seed: 20170428}\nfeaturize: {max_features: 200, ngrams: 2}\ntrain: {seed: 20170428, n_est: 50, min_split: 0.01}\n",
    "dvc.yaml": `stages:
  prepare:
    cmd: python src/prepare.py data/data.xml
    deps: [data/data.xml, src/prepare.py]
    params: [prepare.seed, prepare.split]
    outs: [data/prepared]
  featurize:
    cmd: python src/featurization.py data/prepared data/features
    deps: [data/prepared, src/featurization.py]
    params: [featurize.max_features, featurize.ngrams]
    outs: [data/features]
  train:
    cmd: python src/train.py data/features model.pkl
    deps: [data/features, src/train.py]
    params: [train.min_split, train.n_est, train.seed]
    outs: [model.pkl]
  evaluate:
    cmd: python src/evaluate.py model.pkl data/features
    deps: [data/features, model.pkl, src/evaluate.py]
    outs: [eval/live/plots, {eval/importance.png: {cache: false}}]
    metrics: [{eval/live/metrics.json: {cache: false}}]
params: [eval/params.yaml]
metrics: [eval/live/metrics.json]
plots:
  - ROC:
      template: simple
      x: fpr
      y: {eval/live/plots/sklearn/roc/train.json: tpr, eval/live/plots/sklearn/roc/test.json: tpr}
  - Confusion:
      template: confusion
      x: actual
      y: {eval/live/plots/sklearn/cm/train.json: predicted}
  - eval/importance.png
artifacts:
  text: {path: model.pkl, type: model, labels: [nlp]}
`,
    "data/data.xml": "x",
    "src/prepare.py": "x",
    "src/featurization.py": "x",
    "src/train.py": "x",
    "src/evaluate.py": "x",
  },
  "the shape of a project with a model for each country": {
    "params.yaml": "countries: [us, gb, de]\ndefaults: {epochs: 5, lr: 1e-3}\n",
    "dvc.yaml": `vars:
  - base: models
stages:
  fetch:
    foreach: \${countries}
    do: {cmd: "curl \${item}", outs: ["raw/\${item}.csv"]}
  train:
    matrix: {country: "\${countries}", seed: [1, 2]}
    cmd: python train.py --country \${item.country} --seed \${item.seed} \${defaults}
    deps: ["raw/\${item.country}.csv"]
    outs: ["\${base}/\${item.country}/\${item.seed}.bin"]
  pick: {cmd: python pick.py, deps: ["\${base}"], metrics: [{best.json: {cache: false}}]}
`,
  },
};

/** Projects that both refuse, with what our message says. */
export const refused: Readonly<Record<string, { readonly files: Files; readonly says: RegExp }>> = {
  "broken YAML": { files: { "dvc.yaml": "stages: {a: [\n" }, says: /dvc\.yaml:\d+:\d+/ },
  "a key twice": { files: { "dvc.yaml": "stages:\n  a: {cmd: x, cmd: y}\n" }, says: /unique/ },
  "an unknown field": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, colour: red}\n" },
    says: /dvc\.yaml:2:15: unknown key "colour"/,
  },
  "an unknown section": { files: { "dvc.yaml": "stage:\n  a: {cmd: x}\n" }, says: /unknown key "stage"/ },
  "no command": { files: { "dvc.yaml": "stages:\n  a: {outs: [a]}\n" }, says: /"cmd" is missing/ },
  "a command that is a number": { files: { "dvc.yaml": "stages:\n  a: {cmd: 3}\n" }, says: /cmd/ },
  "deps that are no list": { files: { "dvc.yaml": "stages:\n  a: {cmd: x, deps: in}\n" }, says: /deps/ },
  "an unknown flag": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, outs: [{a: {cached: true}}]}\n" },
    says: /unknown key "cached"/,
  },
  "foreach without do": { files: { "dvc.yaml": "stages:\n  a: {foreach: [1], cmd: x}\n" }, says: /"do" is missing/ },
  "do without foreach": { files: { "dvc.yaml": "stages:\n  a: {do: {cmd: x}}\n" }, says: /"foreach" is missing/ },
  "foreach and a field": {
    files: { "dvc.yaml": "stages:\n  a: {foreach: [1], do: {cmd: x}, deps: [y]}\n" },
    says: /"deps" goes into "do"/,
  },
  "foreach over a text": {
    files: withParams("stages:\n  a: {foreach: '${name}', do: {cmd: x}}\n"),
    says: /goes over a list or a dictionary/,
  },
  "foreach over a number": {
    files: withParams("stages:\n  a: {foreach: '${lr}', do: {cmd: x}}\n"),
    says: /goes over a list or a dictionary/,
  },
  "a variable that is not there": {
    files: withParams("stages:\n  a: {cmd: 'x ${lrr}'}\n"),
    says: /no variable "lrr".*did you mean "lr"\?/s,
  },
  "a member that is not there": {
    files: withParams("stages:\n  a: {cmd: 'x ${train.opt.nome}'}\n"),
    says: /did you mean "train\.opt\.name"\?/,
  },
  "a member of a number": { files: withParams("stages:\n  a: {cmd: 'x ${lr.a}'}\n"), says: /no variable "lr\.a"/ },
  "a position beyond the list": {
    files: withParams("stages:\n  a: {cmd: 'x ${list[9]}'}\n"),
    says: /no variable "list\.9"/,
  },
  "a name as a position": {
    files: withParams("stages:\n  a: {cmd: 'x ${list.first}'}\n"),
    says: /no variable "list\.first"/,
  },
  "an empty expression": { files: withParams("stages:\n  a: {cmd: 'x ${}'}\n"), says: /\$\{\} is no expression/ },
  "an expression that ends in a dot": {
    files: withParams("stages:\n  a: {cmd: 'x ${train.}'}\n"),
    says: /\$\{train\.\} is no expression/,
  },
  "an expression with an open bracket": {
    files: withParams("stages:\n  a: {cmd: 'x ${list[0}'}\n"),
    says: /is no expression/,
  },
  "a list in a command": {
    files: withParams("stages:\n  a: {cmd: 'x ${list}'}\n"),
    says: /is a list, which cannot stand here/,
  },
  "a dictionary in a path": {
    files: withParams("stages:\n  a: {cmd: x, outs: ['o-${train}']}\n"),
    says: /is a dictionary/,
  },
  "a list of lists as options": {
    files: { "params.yaml": "d: {l: [[1], [2]]}\n", "dvc.yaml": "stages:\n  a: {cmd: 'x ${d}'}\n" },
    says: /list of lists/,
  },
  "item outside of foreach": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: 'x ${item}'}\n" },
    says: /no variable "item"/,
  },
  "key in a foreach over a list": {
    files: { "dvc.yaml": "stages:\n  a: {foreach: [1], do: {cmd: 'x ${key}'}}\n" },
    says: /no variable "key"/,
  },
  "variables in vars": {
    files: withParams("vars:\n  - {a: '${lr}'}\nstages:\n  a: {cmd: x}\n"),
    says: /cannot be made from variables/,
  },
  "variables in a stage's vars": {
    files: withParams("stages:\n  a: {cmd: x, vars: [{a: '${lr}'}]}\n"),
    says: /cannot be made from variables/,
  },
  "vars from a file that is not there": {
    files: { "dvc.yaml": "vars: [nope.yaml]\nstages:\n  a: {cmd: x}\n" },
    says: /nope\.yaml is not there/,
  },
  "vars from a list": {
    files: { "dvc.yaml": "vars: [l.yaml]\nstages:\n  a: {cmd: x}\n", "l.yaml": "- 1\n" },
    says: /holds a list/,
  },
  "vars by a key that is not there": {
    files: { "dvc.yaml": "vars: ['c.yaml:alpa']\nstages:\n  a: {cmd: x}\n", "c.yaml": "alpha: 1\n" },
    says: /no "alpa" in c\.yaml.*did you mean "alpha"/s,
  },
  "a variable of two files": {
    files: withParams("vars: [c.yaml]\nstages:\n  a: {cmd: x}\n", { "c.yaml": "lr: 2\n" }),
    says: /"lr" of c\.yaml is there already, from params\.yaml/,
  },
  "a variable deep in two files": {
    files: withParams("vars:\n  - train: {opt: {name: sgd}}\nstages:\n  a: {cmd: x}\n"),
    says: /"train\.opt\.name" of vars\[0\] is there already/,
  },
  "a variable that is there, of a stage": {
    files: withParams("stages:\n  a: {cmd: x, vars: [{lr: 2}]}\n"),
    says: /"lr" of a\.vars\[0\] is there already/,
  },
  "a part of a file that is loaded": {
    files: withParams("vars: ['params.yaml:lr']\nstages:\n  a: {cmd: x}\n"),
    says: /loaded already/,
  },
  "all of a file that is loaded in part": {
    files: { "dvc.yaml": "vars: ['c.yaml:a', c.yaml]\nstages:\n  a: {cmd: x}\n", "c.yaml": "a: 1\nb: 2\n" },
    says: /loaded already/,
  },
  "the same part twice": {
    files: { "dvc.yaml": "vars: ['c.yaml:a', 'c.yaml:a']\nstages:\n  a: {cmd: x}\n", "c.yaml": "a: 1\n" },
    says: /loaded already/,
  },
  "vars that take the iteration's name": {
    files: { "dvc.yaml": "stages:\n  a: {foreach: [1], do: {cmd: 'x ${item}', vars: [{item: 2}]}}\n" },
    says: /"item" is the iteration's own/,
  },
  "an output of two stages": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: y, outs: [o]}\n" },
    says: /o is an output of both "a" and "b"/,
  },
  "an output inside of another's": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: y, outs: [o/p]}\n" },
    says: /o\/p is an output of both/,
  },
  "an output of a group's every stage": {
    files: { "dvc.yaml": "stages:\n  a: {foreach: [1, 2], do: {cmd: x, outs: [o]}}\n" },
    says: /o is an output of both "a@1" and "a@2"/,
  },
  "an output of two files": {
    files: {
      "dvc.yaml": "stages:\n  a: {cmd: x, outs: [sub/o]}\n",
      "sub/dvc.yaml": "stages:\n  b: {cmd: y, outs: [o]}\n",
    },
    says: /sub\/o is an output of both "a" and "sub\/dvc\.yaml:b"/,
  },
  "a name that Python code makes": {
    files: {
      "conf.py": "import os\nHOME = os.getenv('HOME')\n",
      "dvc.yaml": "vars: [conf.py]\nstages:\n  a: {cmd: 'x ${HOME}'}\n",
    },
    says: /no variable "HOME"/,
  },
  "vars from broken Python": {
    files: { "conf.py": "def (:\n", "dvc.yaml": "vars: [conf.py]\nstages:\n  a: {cmd: x}\n" },
    says: /conf\.py:1:5: the file is not valid Python/,
  },
  "a variable twice in YAML": {
    files: { "params.yaml": "a: 1\na: 2\n", "dvc.yaml": "stages:\n  a: {cmd: 'x ${a}'}\n" },
    says: /params\.yaml:2:1: .*unique/,
  },
  "a variable twice in TOML": {
    files: { "c.toml": "a = 1\na = 2\n", "dvc.yaml": "vars: [c.toml]\nstages:\n  a: {cmd: 'x ${a}'}\n" },
    says: /c\.toml:2:/,
  },
  "a cycle": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, deps: [b], outs: [a]}\n  b: {cmd: y, deps: [a], outs: [b]}\n" },
    says: /a -> b -> a/,
  },
  "a cycle through a frozen stage": {
    files: {
      "dvc.yaml": "stages:\n  a: {cmd: x, deps: [b], outs: [a], frozen: true}\n  b: {cmd: y, deps: [a], outs: [b]}\n",
    },
    says: /a -> b -> a/,
  },
  "a cycle through three": {
    files: {
      "dvc.yaml":
        "stages:\n  a: {cmd: x, deps: [c], outs: [a]}\n  b: {cmd: y, deps: [a], outs: [b]}\n  c: {cmd: z, deps: [b], outs: [c]}\n",
    },
    says: /a -> c -> b -> a/,
  },
  "a cycle through files": {
    files: {
      "dvc.yaml": "stages:\n  a: {cmd: x, deps: [sub/b], outs: [a]}\n",
      "sub/dvc.yaml": "stages:\n  b: {cmd: y, deps: [../a], outs: [b]}\n",
    },
    says: /a -> sub\/dvc\.yaml:b -> a/,
  },
};

/** What DVC takes and we do not, each on purpose: the docs say so. */
export const beyond: Readonly<Record<string, { readonly files: Files; readonly says: RegExp }>> = {
  "a variable twice in JSON": {
    files: { "c.json": '{"a": 1, "a": 2}', "dvc.yaml": "vars: [c.json]\nstages:\n  a: {cmd: 'x ${a}'}\n" },
    says: /c\.json:1:10: .*unique/,
  },
  "a dep outside of the repository": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, deps: [/etc/hosts], outs: [a]}\n" },
    says: /outside of the repository/,
  },
  "a dep on a bucket": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, deps: ['https://example.com/x'], outs: [a]}\n" },
    says: /outside of the repository/,
  },
  "a dep that is nowhere": {
    files: { "dvc.yaml": "stages:\n  a: {cmd: x, deps: [nowhere], outs: [a]}\n" },
    says: /neither a file, a dataset nor any stage's output/,
  },
};

/** What we take and DVC does not. */
export const ahead: Readonly<Record<string, Files>> = {
  "a variable that is no text": withParams("stages:\n  a: {cmd: x, always_changed: '${flag}', outs: [a]}\n"),
  "a tuple in Python": {
    "conf.py": "PAIR = 1, 2.0\n",
    "dvc.yaml": "vars: [conf.py]\nstages:\n  a: {cmd: 'x ${PAIR[1]}'}\n",
  },
};
