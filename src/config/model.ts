import { z } from "zod";
import { name, path } from "./fields.ts";
import { gateSchema, metricGateSchema, parseSlice } from "./gate.ts";

const share = z.number().min(0).max(1);

/** Goes as it is before every number of a report: nothing that Markdown or HTML could take for its own. */
export const unitSchema = z
  .string()
  .regex(/^[A-Za-z€£¥%°][A-Za-z€£¥%° ]{0,11}$/, "a unit is a short word, as in EUR (USD for the dollar)");

/** A metric in the team's own terms, as `tp * 40 - fp * 2` euros. */
const businessSchema = z.strictObject({
  /** Over the counts tp, fp, fn, tn, n and sums of columns. */
  formula: z.string().max(1000),
  /** As in EUR; shown before the number. */
  unit: unitSchema.optional(),
  direction: z.enum(["higher", "lower"]),
  /** Shown before all other metrics. */
  first: z.boolean().optional(),
  desc: z.string().optional(),
});
export type BusinessMetric = z.infer<typeof businessSchema>;

const environmentSchema = z.strictObject({
  target: z.enum(["process", "container"]),
  strategy: z.enum(["basic"]).optional(),
  /** Image repository without tag, for a container. */
  image: z.string().optional(),
  /** Port to answer on; 0 or absent lets the system choose. */
  port: z.number().int().min(0).max(65535).optional(),
});
export type Environment = z.infer<typeof environmentSchema>;

/** What the rows of each task have to say beside id and label. */
function missingColumns(task: string, columns: Readonly<Record<string, unknown>>): string | undefined {
  const has = (role: string): boolean => columns[role] !== undefined;
  if (task === "ranking" && !(has("query") && has("score"))) return "a ranking needs `query` and `score`";
  if (task === "binary" && !has("prediction") && !has("score")) return "a binary task needs `prediction` or `score`";
  if ((task === "multiclass" || task === "regression") && !has("prediction"))
    return `a ${task} task needs \`prediction\``;
  return task !== "ranking" && has("query") ? "`query` belongs to a ranking" : undefined;
}

const modelShape = z.strictObject({
  version: z.literal(1),
  pipeline: name,
  desc: z.string().optional(),
  /** Name in the release -> output of the pipeline. */
  files: z.record(name, path),
  evaluation: z
    .strictObject({
      predictions: path,
      task: z.enum(["binary", "multiclass", "regression", "ranking"]),
      columns: z.strictObject({
        id: z.string(),
        /** ranking: relevance, not negative. */
        label: z.string(),
        /** ranking: none. binary: may be left out where there is a score. */
        prediction: z.string().optional(),
        /** binary: probability of the positive class. multiclass: prefix of `<prefix><class>` columns. ranking: any number. */
        score: z.string().optional(),
        /** ranking: rows with the same query are ranked against each other. */
        query: z.string().optional(),
        /** How much an example counts. */
        weight: z.string().optional(),
        /** Rows of one group (a user, a document) are not independent: they are drawn together. */
        group: z.string().optional(),
        /** Shown of examples that flipped. */
        preview: z.array(z.string()).max(5).optional(),
      }),
      /** Columns by whose values the test set is cut into groups that are judged apart. */
      slices: z.array(z.string()).optional(),
      metrics: z.array(z.string()).min(1),
      /**
       * binary: from which score on an example is predicted positive, in the place of the file's prediction: given, or
       * the one at which a metric is best on validation predictions (same columns), chosen for each side on its own.
       */
      threshold: z.union([share, z.strictObject({ maximize: z.string(), on: path })]).optional(),
      /** Name -> metric that a formula computes, measured beside `metrics`. */
      business: z.record(name, businessSchema).optional(),
      /** Metric -> difference that does not matter: inside it two models are equivalent. */
      margins: z.record(z.string(), z.number().min(0)).optional(),
      /** Of metrics that come as numbers, where the name does not say which way is good. */
      directions: z.record(z.string(), z.enum(["higher", "lower"])).optional(),
      /** Predictions on examples that no report shows: promotion alone judges by them, by gates of their own. */
      held_out: z.strictObject({ predictions: path, gates: z.array(metricGateSchema).optional() }).optional(),
    })
    .superRefine(({ task, columns, threshold, predictions, held_out: held }, context) => {
      const open = [predictions, ...(typeof threshold === "object" ? [threshold.on] : [])];
      if (held !== undefined && open.includes(held.predictions)) {
        const message = "what is held out is a file of its own: reports open this one";
        context.addIssue({ code: "custom", path: ["held_out", "predictions"], message });
      }
      if (threshold !== undefined && (task !== "binary" || columns.score === undefined))
        context.addIssue({ code: "custom", path: ["threshold"], message: "a threshold is of a binary task's `score`" });
      const message = missingColumns(task, columns);
      if (message !== undefined) context.addIssue({ code: "custom", path: ["columns"], message });
    }),
  gates: z.array(gateSchema).optional(),
  /** What the numbers do not say (Mitchell et al. 2019): intended_use, limitations ... -> text. Shown in CARD.md. */
  card: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, "a field of a card is lower case with _"), z.string())
    .optional(),
  serving: z
    .strictObject({
      /** Which of `files` is served; the only .onnx one when absent. */
      file: name.optional(),
      input: z.string(),
      output: z.string(),
      /** Class names in the order of the output's last axis. */
      classes: z.array(z.string()).optional(),
      /** Share of requests written to the prediction log. */
      log_sample: share.optional(),
      /** Base image of the serving container. */
      base_image: z.string().optional(),
    })
    .optional(),
  environments: z.record(name, environmentSchema).optional(),
  monitor: z
    .strictObject({
      schedule: z.string().optional(),
      window: z
        .string()
        .regex(/^\d+(h|d)$/)
        .optional(),
      /** Rows below which nothing is decided. */
      min_rows: z.number().int().min(1).optional(),
      /** Only so many of the window's newest rows are judged: bounds the work, and how long an old shift is remembered. */
      max_rows: z.number().int().min(1).optional(),
      /** Share of columns that must drift before the model counts as drifted. */
      drift_share: share.optional(),
      retrain: z
        .strictObject({
          when: z.enum(["drift", "never"]),
          /** combined: old and new data; new: the new data alone. */
          mode: z.enum(["combined", "new"]).optional(),
          /** Dataset (of data.lock.json) that labelled requests are added to. */
          dataset: name,
          /** Header of the file that is added, as the dataset's own files have it. */
          columns: z
            .strictObject({
              id: z.string().optional(),
              label: z.string().optional(),
              /** Prefix of `<prefix>.<index>`, or the name of every value of the input tensor in its order. */
              features: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
            })
            .optional(),
        })
        .optional(),
    })
    .optional(),
});

/** `models/<name>/model.yaml`: what the model is and by which rules it lives. */
export const modelSchema = modelShape.superRefine(({ evaluation: { slices = [] }, gates = [] }, context) => {
  for (const [index, gate] of gates.entries()) {
    if (!("metric" in gate) || gate.slice === undefined) continue;
    const { column } = parseSlice(gate.slice);
    const path = ["gates", index, "slice"];
    if (column === null ? slices.length > 0 : slices.includes(column)) continue;
    const known = slices.length === 0 ? "it has none" : `it has ${slices.join(", ")}`;
    context.addIssue({ code: "custom", path, message: `not a column of evaluation.slices; ${known}` });
  }
});
export type ModelConfig = z.infer<typeof modelSchema>;

/** Which of a model's files answers requests: the one that `serving` names, else the only .onnx. */
export function servedFile(
  files: readonly string[],
  serving?: { readonly file?: string | undefined },
): string | undefined {
  const networks = files.filter((file) => file.endsWith(".onnx"));
  const file = serving?.file ?? (networks.length === 1 ? networks[0] : undefined);
  return file !== undefined && files.includes(file) ? file : undefined;
}
