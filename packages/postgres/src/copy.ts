// COPY as its users write it.

import { badArgument } from "./checks.ts";
import { CopyIn } from "./copy-in.ts";
import { CopyOut } from "./copy-out.ts";
import { RowWriter } from "./copy-rows.ts";
import { CopyItems } from "./copy-source.ts";
import { columnsOf, copyFromText, type CopyTarget, copyToText, type CopyToTarget, tableOf } from "./copy-target.ts";
import type { Session } from "./session.ts";

/** Rows in arrays, or text in the format of the copy, in pieces of any size. Not both. */
export type CopySource =
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | Iterable<readonly unknown[]>
  | AsyncIterable<readonly unknown[]>;

/** Rows are sent in pieces of about this many characters. */
const PIECE = 64 * 1024;

/** Half a character at the end of a text: UTF-16 has two units for some. */
const HALF = /[\ud800-\udbff]$/;

/** Copies into a table. Returns how many rows that were. */
export async function copyFrom(session: Session, target: CopyTarget, source: CopySource): Promise<number> {
  const text = copyFromText(target);
  const items = itemsOf(source);
  try {
    session.touch(text);
    const first = await items.next();
    const writer = isRow(first.value) ? await writerFor(session, target) : null;
    // It may have been given back meanwhile.
    await session.opened();
    session.touch(text);
    const copy = new CopyIn(session.link, text);
    session.streams(() => copy.fail("the connection was given back"));
    try {
      await copy.start();
      if (writer === null) await sendPieces(copy, items, first);
      else await sendRows(copy, items, first, writer);
      return await copy.finish();
    } catch (error) {
      await copy.fail("what was to be copied could not be read to its end");
      throw error;
    }
  } finally {
    await items.close();
  }
}

/** Copies out. */
export async function* copyTo(
  session: Session,
  target: CopyToTarget,
): AsyncGenerator<Uint8Array, undefined, undefined> {
  const text = copyToText(target);
  session.touch(text);
  await session.opened();
  const copy = new CopyOut(session.link, text);
  session.streams(() => copy.close());
  copy.start();
  try {
    for (let bytes = await copy.read(); bytes !== null; bytes = await copy.read()) yield bytes;
  } finally {
    await copy.close();
  }
  return undefined;
}

type Row = readonly unknown[];
type Item = string | Uint8Array | Row;
type Pulled = IteratorResult<Item, unknown>;

function isRow(item: unknown): item is Row {
  return Array.isArray(item);
}

function itemsOf(source: CopySource): CopyItems<Item> {
  const isIterable =
    typeof source === "object" && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
  // Bytes are iterable as well, number by number.
  if (!isIterable || source instanceof Uint8Array) {
    throw badArgument("source", source, "an iterable, async or not, of rows in arrays, or of strings or bytes");
  }
  return new CopyItems<Item>(source as Iterable<Item> | AsyncIterable<Item>);
}

async function writerFor(session: Session, target: CopyTarget): Promise<RowWriter> {
  if (typeof target === "string" || (target.format ?? "text") !== "text") {
    throw badArgument("target", target, "{ table, columns } for rows in arrays, without another format");
  }
  return RowWriter.forColumns(session, tableOf(target), columnsOf(target));
}

async function sendPieces(copy: CopyIn, items: CopyItems<Item>, first: Pulled): Promise<void> {
  // The first half of a character of which the other half is in the next piece.
  let half = "";
  for (let pulled = first; pulled.done !== true; pulled = await items.next()) {
    const piece: unknown = pulled.value;
    if (typeof piece === "string") {
      const text = half + piece;
      half = HALF.exec(text)?.[0] ?? "";
      await copy.write(text.slice(0, text.length - half.length));
    } else {
      if (!(piece instanceof Uint8Array))
        throw badArgument("source", piece, "rows in arrays only, or strings or bytes only");
      if (half !== "") await copy.write(half);
      half = "";
      await copy.write(piece);
    }
  }
  if (half !== "") await copy.write(half);
}

async function sendRows(copy: CopyIn, items: CopyItems<Item>, first: Pulled, writer: RowWriter): Promise<void> {
  let text = "";
  for (let pulled = first; pulled.done !== true; pulled = await items.next()) {
    text += writer.line(pulled.value);
    if (text.length < PIECE) continue;
    await copy.write(text);
    text = "";
  }
  if (text !== "") await copy.write(text);
}
