// A throwaway repository with the given files, and a way to run one of our tools in it.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs `tools/<tool>` among `files` (path to content) and returns what it said. */
export function runTool(tool: string, files: Readonly<Record<string, string>>, ...args: string[]): Outcome {
  const root = mkdtempSync(join(tmpdir(), "meanwhile-tool-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const program = join(import.meta.dirname, "..", tool);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: root, encoding: "utf8" });
    return { exitCode: status, output: stdout + stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}
