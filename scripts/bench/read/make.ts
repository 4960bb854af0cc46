/** `node make.ts FOLDER FORMAT ROWS`: puts a file of predictions into a store; its digest is in FOLDER/digest. */
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileWriter, ParquetWriter, schemaFromColumnData } from "hyparquet-writer";
import { contextIn } from "../../../test/git/repository.ts";
import { value } from "../../../test/helpers/value.ts";
import { folderStore } from "../../../src/store/index.ts";

const TITLES = ["id", "label", "prediction", "score", "region", "band"] as const;
/** Rows that are made at once; of Parquet a row group, as pyarrow makes them. */
const BLOCK = 1_000_000;

const [folder = "", format = "", count = ""] = process.argv.slice(2);
const rows = Number(count);
mkdirSync(folder, { recursive: true });
const file = join(folder, "made");
if (format === "parquet") await parquet();
else await pipeline(Readable.from(lines(format === "csv")), createWriteStream(file));
const store = folderStore(contextIn(folder), join(folder, "store"));
writeFileSync(join(folder, "digest"), value(await store.putFile(file)).digest);
rmSync(file);

function row(at: number): readonly [string, number, number, number, string, string] {
  return [`user-${at}`, at % 2, at % 3 === 0 ? 1 : 0, (at % 9973) / 9973, `region-${at % 7}`, `band-${at % 5}`];
}

function* lines(csv: boolean): Generator<string> {
  let text = csv ? `${TITLES.join(",")}\n` : "";
  for (let at = 0; at < rows; at++) {
    const [id, label, prediction, score, region, band] = row(at);
    text += csv
      ? `${id},${label},${prediction},${score},${region},${band}\n`
      : `{"id":"${id}","label":${label},"prediction":${prediction},"score":${score},"region":"${region}","band":"${band}"}\n`;
    if (text.length < 1_000_000) continue;
    yield text;
    text = "";
  }
  yield text;
}

async function parquet(): Promise<void> {
  let writer: ParquetWriter | undefined;
  for (let from = 0; from < rows; from += BLOCK) {
    const block = Array.from({ length: Math.min(BLOCK, rows - from) }, (_, at) => row(from + at));
    const columnData = TITLES.map((name, cell) => ({
      name,
      data: block.map((cells) => cells[cell]),
      type: cell === 0 || cell > 3 ? ("STRING" as const) : ("DOUBLE" as const),
    }));
    writer ??= new ParquetWriter({ writer: fileWriter(file), schema: schemaFromColumnData({ columnData }) });
    await writer.write({ columnData, rowGroupSize: BLOCK });
  }
  await writer?.finish();
}
