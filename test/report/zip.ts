import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  /** What the headers claim in place of the truth. */
  readonly claimedSize?: number;
  /** Unix mode, as in 0o120777 for a symbolic link. */
  readonly mode?: number;
  /** 8, deflate, unless it says otherwise. */
  readonly method?: number;
  readonly encrypted?: boolean;
  /** Start of the data that the directory names, in place of this entry's own. */
  readonly at?: number;
}

/** A zip archive of these entries, written by hand so that a test can lie in it. */
export function zip(entries: readonly ZipEntry[], claimedEntries = entries.length): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { name, bytes, claimedSize } = entry;
    const content = Buffer.from(bytes as Uint8Array);
    const packed = deflateRawSync(content, { level: content.length > 2 ** 20 ? 1 : 9 });
    const title = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0); // version needed
    fields.writeUInt16LE(0x0800 + (entry.encrypted === true ? 1 : 0), 2); // names are UTF-8
    fields.writeUInt16LE(entry.method ?? 8, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(claimedSize ?? content.length, 18);
    fields.writeUInt16LE(title.length, 22);
    locals.push(Buffer.from("PK\u0003\u0004"), fields, title, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt16LE(entry.mode ?? 0o100644, 8);
    rest.writeUInt32LE(entry.at ?? offset, 10);
    central.push(Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), fields, rest, title);
    offset += 4 + 26 + title.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(claimedEntries, 8);
  end.writeUInt16LE(claimedEntries, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
