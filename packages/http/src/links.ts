// The header Link: where a page of results has its next one, and the like. One pass, whatever it says.

import { readParameters } from "./header-parameters.ts";

/** More than anybody sends; the rest of a longer list is left out. */
const MOST_LINKS = 256;

/**
 * One link of the header `Link`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8288}
 */
export interface Link {
  /** Absolute: resolved against the URL of the response. Its scheme may be any; it is what the server says. */
  readonly url: string;
  /** What the target is to this page, in lower case: `next`, `prev`, … */
  readonly rel: ReadonlyArray<string>;
  /** All parameters, by lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The links in order. What cannot be read is left out. */
export function parseLinks(header: string | string[] | undefined, base: string): ReadonlyArray<Link> {
  if (header === undefined) return [];
  const text = typeof header === "string" ? header : header.join(",");
  const links: Link[] = [];
  for (let at = text.indexOf("<"); at !== -1 && links.length < MOST_LINKS;) {
    const close = text.indexOf(">", at);
    if (close === -1) break;
    const { parameters, end } = readParameters(text, close + 1);
    const url = URL.parse(text.slice(at + 1, close), base);
    if (url !== null) links.push({ url: url.href, rel: relationsOf(parameters.get("rel")), parameters });
    at = text.indexOf("<", end);
  }
  return links;
}

function relationsOf(rel: string | undefined): ReadonlyArray<string> {
  return (rel ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
}
