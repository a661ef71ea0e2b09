// A project of a user in a temporary folder, whose programs run as child processes.

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export const REGISTER: readonly string[] = ["--import", "@meanwhile/instrument/register"];
const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));

export interface Ended {
  readonly exit: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NodeOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Without it the sources of meanwhile are run. */
  readonly node?: string;
}

/** What a source says to know whether it was instrumented: its text is not what stands there. */
export const PROBE = `async function probe() { await 1; return probe.toString().includes(["_", "_mwf1="].join("")); }`;

export class Project implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "meanwhile-project-"));

  constructor(files: Readonly<Record<string, string>>) {
    this.write({ "package.json": `{ "type": "module" }`, ...files });
    this.link("node_modules/meanwhile", join(REPOSITORY, "packages/meanwhile"));
    this.link("node_modules/@meanwhile/instrument", join(REPOSITORY, "packages/instrument"));
    chmodSync(this.folder, 0o755);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      const file = this.path(name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  link(name: string, to: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    symlinkSync(to, this.path(name));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs Node to its end. */
  async node(args: readonly string[], { env = {}, input, node }: NodeOptions = {}): Promise<Ended> {
    const inherited: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...env };
    for (const name of ["NODE_TEST_CONTEXT", "FORCE_COLOR", "NODE_V8_COVERAGE"]) {
      if (!(name in env)) delete inherited[name];
    }
    const conditions = node === undefined ? ["--conditions=@meanwhile/source"] : [];
    const child = spawn(node ?? process.execPath, [...conditions, ...args], {
      cwd: this.folder,
      env: inherited,
    });
    child.stdin.on("error", () => {}); // it may end before it has read everything
    child.stdin.end(input ?? "");
    const exit = new Promise<Ended["exit"]>((resolve) => {
      child.once("close", (code, signal) => resolve(code ?? signal));
    });
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    return { exit: code, stdout, stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
