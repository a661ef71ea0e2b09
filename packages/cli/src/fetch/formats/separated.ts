// Values separated by commas (RFC 4180) or by tabs.

import { escapeControls } from "../../output/escape.ts";
import type { FieldValue } from "../fields.ts";

// A spreadsheet runs a cell that begins like this, and what is in a cell comes from servers.
const FORMULA = /^[=+\-@]/;
const NEEDS_QUOTES = /[",]|^\s|\s$/;

/**
 * One line of CSV, ended by CRLF. Text that a spreadsheet would take for a formula has an apostrophe in front; control
 * characters, line breaks among them, are shown as `\u000a`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc4180}
 * @see {@link https://owasp.org/www-community/attacks/CSV_Injection}
 */
export function csvLine(values: readonly FieldValue[]): string {
  return `${values.map(csvCell).join(",")}\r\n`;
}

function csvCell(value: FieldValue): string {
  if (typeof value !== "string") return value === undefined ? "" : String(value);
  const text = guarded(escapeControls(value));
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line of values with tabs between them; guarded as CSV is. No value has a tab or a line break in it. */
export function tsvLine(values: readonly FieldValue[]): string {
  const cells = values.map((value) =>
    typeof value === "string" ? guarded(escapeControls(value)) : String(value ?? ""),
  );
  return `${cells.join("\t")}\n`;
}

function guarded(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}
