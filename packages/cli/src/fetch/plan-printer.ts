// `--dry-run`: says what would be requested, and requests nothing.

import { escapeControls } from "../output/escape.ts";
import { headersOf } from "./curl-command.ts";
import type { FetchOptions } from "./options.ts";
import { shownUrl } from "./record.ts";
import type { Target } from "./target.ts";

/** What would be requested: method and URL, and the headers and the size of the body if there are any. */
export function renderPlan({ text, request }: Target, { plan }: FetchOptions): string {
  const names = headersOf(request.headers, plan.shownHeaders).map(([name]) => name);
  const body = request.body ?? (plan.shownBody === undefined ? undefined : Buffer.from(plan.shownBody));
  const parts = [
    request.method ?? plan.method,
    shownUrl(text),
    ...(names.length === 0 ? [] : [`headers: ${names.join(", ")}`]),
    ...(body === undefined ? [] : [`body: ${body.length} bytes`]),
  ];
  return `${escapeControls(parts.join("  "))}\n`;
}
