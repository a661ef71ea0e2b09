// Arrays as text: `{1,2,NULL,"a \"b\""}`, nested to any depth.
//
// @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO

import { unreadable } from "./value-errors.ts";

/** One place further than the text has been read. */
interface Reading {
  readonly text: string;
  at: number;
}

/** Reads an array; what is in it is read by `parse`, or left as text. */
export function parseArray(text: string, parse: ((text: string) => unknown) | null): unknown[] {
  // With bounds other than 1 the text begins with them: [0:2]={1,2,3}.
  const start = text.startsWith("[") ? text.indexOf("=") + 1 : 0;
  const reading = { text, at: start };
  if (text[start] !== "{") throw unreadable("an array does not begin with a brace");
  return readList(reading, parse);
}

function readList(reading: Reading, parse: ((text: string) => unknown) | null): unknown[] {
  const { text } = reading;
  const list: unknown[] = [];
  reading.at += 1;
  if (text[reading.at] === "}") {
    reading.at += 1;
    return list;
  }
  for (;;) {
    list.push(text[reading.at] === "{" ? readList(reading, parse) : readItem(reading, parse));
    const next = text[reading.at];
    reading.at += 1;
    if (next === "}") return list;
    if (next !== ",") throw unreadable("an array has no comma where one belongs");
  }
}

function readItem(reading: Reading, parse: ((text: string) => unknown) | null): unknown {
  const { text } = reading;
  if (text[reading.at] === '"') {
    const item = readQuoted(reading);
    return parse === null ? item : parse(item);
  }
  const start = reading.at;
  while (reading.at < text.length && text[reading.at] !== "," && text[reading.at] !== "}") reading.at += 1;
  const item = text.slice(start, reading.at);
  if (item === "NULL") return null;
  return parse === null ? item : parse(item);
}

function readQuoted(reading: Reading): string {
  const { text } = reading;
  let item = "";
  let start = reading.at + 1;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") {
      item += text.slice(start, at);
      at += 1;
      start = at;
    } else if (text[at] === '"') {
      reading.at = at + 1;
      return item + text.slice(start, at);
    }
  }
  throw unreadable("an array ends within quotes");
}

/** Writes one item of an array. Quoted always: whatever is in it means nothing then. */
export function quoteItem(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
