// A throwaway repository with the given files, and a way to run one of our tools in it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
    // As npm links a workspace, so that documentation can import it.
    if (existsSync(join(root, "packages/meanwhile"))) {
      mkdirSync(join(root, "node_modules"));
      symlinkSync("../packages/meanwhile", join(root, "node_modules/meanwhile"));
      symlinkSync(join(import.meta.dirname, "../../node_modules/@types"), join(root, "node_modules/@types"));
    }
    const program = join(import.meta.dirname, "..", tool);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: root, encoding: "utf8" });
    return { exitCode: status, output: stdout + stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}
