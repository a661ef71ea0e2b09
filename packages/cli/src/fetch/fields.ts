// The fields of a record, by the names that `--fields` takes.

import { usageError } from "../errors.ts";
import type { FetchRecord } from "./record.ts";

/** A value as it stands in a cell; undefined for a field that does not apply. */
export type FieldValue = string | number | boolean | undefined;

export type FieldName =
  | "index"
  | "id"
  | "url"
  | "finalUrl"
  | "status"
  | "ok"
  | "skipped"
  | "bytes"
  | "wireBytes"
  | "ms"
  | "ttfbMs"
  | "attempts"
  | "host"
  | "ip"
  | "type"
  | "file"
  | "resumedFrom"
  | "sha256"
  | "body"
  | "bodyBase64"
  | "error"
  | "error.code"
  | "error.message"
  | "redirects";

// In the order of the columns.
const FIELDS: Readonly<Record<FieldName, (record: FetchRecord) => FieldValue>> = {
  index: (record) => record.index,
  id: (record) => record.id,
  url: (record) => record.url,
  finalUrl: (record) => record.finalUrl,
  status: (record) => record.status,
  ok: (record) => record.ok,
  skipped: (record) => record.skipped,
  bytes: (record) => record.bytes,
  wireBytes: (record) => record.wireBytes,
  ms: (record) => record.ms,
  ttfbMs: (record) => record.ttfbMs,
  attempts: (record) => record.attempts,
  host: (record) => record.host,
  ip: (record) => record.ip,
  type: (record) => record.type,
  file: (record) => record.file,
  resumedFrom: (record) => record.resumedFrom,
  sha256: (record) => record.sha256,
  body: (record) => record.body,
  bodyBase64: (record) => record.bodyBase64,
  error: (record) => record.error && `${record.error.code}: ${record.error.message}`,
  "error.code": (record) => record.error?.code,
  "error.message": (record) => record.error?.message,
  redirects: (record) => record.redirects?.join(" "),
};

const NAMES: readonly FieldName[] = Object.keys(FIELDS).flatMap((name) => fieldNamed(name) ?? []);

/** The columns of `csv` and `tsv`, unless they are chosen: all but bodies, with the error in two. */
export const COLUMNS: readonly FieldName[] = NAMES.filter((name) => !["body", "bodyBase64", "error"].includes(name));

/** What a record has in a field. */
export function fieldOf(record: FetchRecord, name: FieldName): FieldValue {
  return FIELDS[name](record);
}

/**
 * Reads `url,status,error.code`.
 *
 * @throws {@link CommandError} with exit code 2 for a name that is none, or one that is named twice
 */
export function checkFields(text: string): FieldName[] {
  const names = text.split(",").map((part) => {
    const name = fieldNamed(part.trim());
    if (name === undefined) throw usageError(`--fields has no "${part.trim()}"; there are ${NAMES.join(", ")}`);
    return name;
  });
  if (new Set(names).size < names.length) throw usageError("--fields names a field twice");
  return names;
}

function fieldNamed(text: string): FieldName | undefined {
  return isFieldName(text) ? text : undefined;
}

/** Whether records have a field of that name. */
export function isFieldName(text: string): text is FieldName {
  return Object.hasOwn(FIELDS, text);
}
