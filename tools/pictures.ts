// Draws docs/pictures/waiting-*.svg, the timelines of the note's example, from recordings that it makes; with --check fails if
// other ones come out. What differs from run to run, times and lengths, is not compared.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type NamedRun, readRecording, timelineSvg } from "@meanwhile/inspector";

import { report } from "./source.ts";

const FOLDER = "docs/pictures";
const PROGRAM = join(import.meta.dirname, "pictures/note.ts");
const TITLES = {
  sequential: "One after another",
  concurrent: "At once",
};
const THEMES = ["light", "dark"] as const;

async function recordAll(): Promise<NamedRun[]> {
  const folder = mkdtempSync(join(tmpdir(), "meanwhile-pictures-"));
  try {
    const runs: NamedRun[] = [];
    for (const [name, title] of Object.entries(TITLES)) {
      const recording = join(folder, `${name}.jsonl`);
      execFileSync(process.execPath, ["--conditions=@meanwhile/source", PROGRAM, name, recording]);
      const { history } = await readRecording(recording);
      runs.push({ title, history });
    }
    return runs;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What two pictures of the same program have in common: colours, kinds of things, and words without times. */
export function likenessOf(svg: string): string {
  const styles = Array.from(svg.matchAll(/<style>(.*?)<\/style>/gs), ([, text = ""]) => text);
  const words = Array.from(svg.matchAll(/<(text|title)\b[^>]*>(.*?)<\/\1>/gs), ([, , text = ""]) =>
    text.replaceAll(/\d+(\.\d+)? m?s\b/g, "…"),
  );
  const kinds = new Set(
    Array.from(svg.matchAll(/<(rect|text) class="([\w-]+)"/g), ([, tag, kind]) => `${tag} ${kind}`),
  );
  // How many marks the axis has depends on how long it took.
  return [...styles, ...words.filter((text) => text !== "…" && text !== "0"), ...kinds].join("\n");
}

if (import.meta.main) {
  const runs = await recordAll();
  mkdirSync(FOLDER, { recursive: true });
  for (const theme of THEMES) {
    const file = `${FOLDER}/waiting-${theme}.svg`;
    const svg = timelineSvg(runs, { theme, width: 880 });
    if (!process.argv.includes("--check")) writeFileSync(file, svg);
    else if (!existsSync(file) || likenessOf(readFileSync(file, "utf8")) !== likenessOf(svg))
      report(`${file} is not what the program draws: run \`npm run pictures\` and commit what changed on purpose`);
  }
}
