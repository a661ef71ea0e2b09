// Turns a source text into a syntax tree, or says where it is wrong.

import { type Comment, parseSync, type Program } from "oxc-parser";

import { TransformError } from "./errors.ts";
import { SiteTableBuilder } from "./site-table.ts";

/** The syntax of a source text. */
export type Language = "ts" | "tsx" | "js" | "jsx" | "dts";

/** How a file is loaded. */
export type ModuleFormat = "module" | "commonjs";

/** By the ending of a path or URL; a query is no part of it, an ending nobody knows is JavaScript. */
export function languageOf(id: string): Language {
  const path = id.replace(/[?#].*$/, "");
  if (/\.d\.(?:\w+\.)?[cm]?ts$/.test(path)) return "dts";
  const [, ending] = /\.[cm]?(tsx?|jsx?)$/.exec(path) ?? [];
  return ending === "ts" || ending === "tsx" || ending === "jsx" ? ending : "js";
}

/** How a file is loaded, where nothing but its name and its source can say it: as bundlers see it. */
export function formatOf(code: string, id: string): ModuleFormat {
  const [, kind] = /\.([cm])[jt]s$/.exec(id) ?? [];
  if (kind !== undefined) return kind === "c" ? "commonjs" : "module";
  if (!/\b(?:require|module|exports)\b/.test(code)) return "module";
  return parseSync(id, code, { lang: languageOf(id) }).module.hasModuleSyntax ? "module" : "commonjs";
}

export function parse(
  code: string,
  { id, language, format }: { id: string; language: Language; format: ModuleFormat },
): { program: Program; comments: () => Comment[] } {
  // Without types the tree is smaller; none of them is looked at.
  const options = { sourceType: format, astType: "js" } as const;
  let result = parseSync(id, code, { ...options, lang: language });
  // Much of what is called .js has JSX in it.
  if (language === "js" && result.errors.length > 0) {
    const withJsx = parseSync(id, code, { ...options, lang: "jsx" });
    if (withJsx.errors.length === 0) result = withJsx;
  }
  const [error] = result.errors;
  if (error !== undefined) {
    const [line, column] = new SiteTableBuilder(code).placeOf(error.labels[0]?.start ?? 0);
    throw new TransformError({ id, line, column }, error.message.replace(/\.$/, ""));
  }
  return { program: result.program, comments: () => result.comments };
}
