// A throwaway repository with the given files, and a way to run one of our tools in it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

export const TOOLS: string = join(import.meta.dirname, "..");
const MODULES = join(TOOLS, "../node_modules");

export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs `tools/<tool>` among `files` (path to content) and returns what it said. */
export function runTool(tool: string, files: Readonly<Record<string, string>>, ...args: string[]): Outcome {
  return runNode(files, join(TOOLS, tool), ...args);
}

/** Runs Node among `files`, with the commands of our own dependencies at hand, as in an npm script. */
export function runNode(files: Readonly<Record<string, string>>, ...args: string[]): Outcome {
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
      symlinkSync(join(MODULES, "@types"), join(root, "node_modules/@types"));
    }
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      PATH: `${join(MODULES, ".bin")}${delimiter}${process.env["PATH"]}`,
    };
    delete env["NODE_TEST_CONTEXT"]; // or a test run among the files would take itself for a part of this one
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8" });
    return { exitCode: status, output: stdout + stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}
