// Saves the timeline as a file.

import { timelineHtml } from "../../../src/export/html.ts";
import type { NamedRun } from "../../../src/export/panel.ts";
import { timelineSvg } from "../../../src/export/svg.ts";
import type { Model } from "./model.ts";

/** Saves the picture. */
export function saveSvg(model: Model): void {
  save(`${nameOf(model)}.svg`, "image/svg+xml", timelineSvg(runsOf(model)));
}

/** Saves the picture with tables of the tasks. */
export function saveHtml(model: Model): void {
  save(`${nameOf(model)}.html`, "text/html", timelineHtml(runsOf(model)));
}

function runsOf({ state, history }: Model): NamedRun[] {
  return [{ title: scriptOf(state.hello?.program.script), history }];
}

function nameOf({ state }: Model): string {
  return `timeline-${scriptOf(state.hello?.program.script).replaceAll(/[^\w.-]/gu, "_")}`;
}

function scriptOf(path = ""): string {
  return path.split(/[\\/]/u).at(-1) || "program";
}

function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: the browser has not begun to read it.
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
