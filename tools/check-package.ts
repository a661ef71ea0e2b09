// Packs every package, installs the tarballs in an empty project as a user would, and there runs the README's first program,
// type-checks it with TypeScript 6 and 7, bundles and runs a single import, runs an instrumented program, one with a database of its own,
// one with a WebSocket, one with a cluster and one that shows a recording, and starts the command. Needs a build; works on what the build made, not on sources.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { filesMatching, report } from "./source.ts";

const ROOT = join(import.meta.dirname, "..");
const COMPILERS = {
  "TypeScript 6": join(ROOT, "compat/typescript6/node_modules/typescript/bin/tsc"),
  "TypeScript 7": join(ROOT, "node_modules/typescript/bin/tsc"),
};
const BUNDLER = join(ROOT, "node_modules/.bin/esbuild");
// Strict, and library declarations are checked too: an error in ours must not hide behind skipLibCheck.
const COMPILER_OPTIONS = {
  strict: true,
  noEmit: true,
  target: "esnext",
  module: "nodenext",
  types: ["node"],
  skipLibCheck: false,
};
const INSTRUMENTED = `
import { moveOnAfter, run } from "meanwhile";

async function waits(): Promise<void> {
  try {
    await new Promise<never>(() => {});
  } finally {
    console.log("cleaned up");
  }
}

await run(() => moveOnAfter(50, waits));
console.log("afterwards");
`;
const DATABASE = `
import { createPool } from "@meanwhile/postgres";
import { run } from "meanwhile";

await run(async () => {
  await using pool = createPool({ embedded: true });
  console.log(await pool.fetchValue("select 6 * 7"));
});
`;
const WEBSOCKET = `
import { connect, serve } from "@meanwhile/websocket";
import { run } from "meanwhile";

await run(async () => {
  await using server = await serve((socket) => socket.send("hello"));
  await using socket = await connect(server.url);
  console.log(await socket.recv());
});
`;
const CLUSTER = `
import { connectCluster, serveCluster } from "@meanwhile/cluster";
import { run } from "meanwhile";

await run(async () => {
  await using worker = await serveCluster(new URL("node:path"), { queue: "paths", concurrency: 1 });
  await using cluster = await connectCluster<typeof import("node:path")>(undefined, { queue: "paths" });
  console.log(await cluster.call("basename", "/a/b.txt"));
  await connectCluster("redis://127.0.0.1:1", { queue: "paths" }).catch((error) => console.log(error.code));
  await connectCluster("postgres://127.0.0.1:1/x", { queue: "paths" }).catch((error) => console.log(error.code));
});
`;
const PAGE = `
import { startViewer } from "@meanwhile/inspector";

await using viewer = await startViewer({ recording: "run.jsonl" });
const answers = await Promise.all(["", "assets/page.js"].map((path) => fetch(new URL(path, viewer.url))));
console.log(answers.map(({ status }) => status).join(" "));
`;
// What npm hands to scripts of the repository must not reach the user's project: there is no source condition there.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|node_options$)/i.test(name)));

function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ends with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function attempt(what: string, action: () => string): void {
  try {
    action();
    console.log(`${what}: fine`);
  } catch (error) {
    report(`${what} fails: ${String(error)}`);
  }
}

function firstProgram(): string {
  const program = /^```ts\n([^]*?)^```$/m.exec(readFileSync(join(ROOT, "README.md"), "utf8"))?.[1];
  if (program === undefined) throw new Error("README.md has no ```ts block");
  return program;
}

function pack(destination: string): string[] {
  mkdirSync(destination);
  const manifests = filesMatching(join(ROOT, "packages/*/package.json"));
  const folders = manifests.map((file) => file.slice(0, -"/package.json".length));
  run(ROOT, "npm", "pack", "--silent", "--pack-destination", destination, ...folders);
  return readdirSync(destination).map((file) => join(destination, file));
}

function checkContent(tarball: string): void {
  const files = run(ROOT, "tar", "-tzf", tarball).trim().split("\n");
  const strange = files.filter(
    (file) => !/^package\/(dist|src|bin|page\/dist)\/|^package\/(package\.json|README\.md|LICENSE)$/.test(file),
  );
  if (strange.length > 0) report(`${tarball} has files that no user needs: ${strange.join(", ")}`);
  for (const needed of ["package/dist/index.js", "package/dist/index.d.ts", "package/LICENSE"]) {
    if (!files.includes(needed)) report(`${tarball} lacks ${needed}`);
  }
}

const project = mkdtempSync(join(tmpdir(), "meanwhile package 100% é-"));
try {
  const tarballs = pack(join(project, "tarballs"));
  for (const tarball of tarballs) checkContent(tarball);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ["program.ts"] }),
  );
  writeFileSync(join(project, "program.ts"), firstProgram());
  run(project, "npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "@types/node", ...tarballs);
  attempt("The README's first program", () => run(project, process.execPath, "program.ts"));
  for (const [name, compiler] of Object.entries(COMPILERS)) {
    attempt(`Its types with ${name}`, () => run(project, process.execPath, compiler, "-p", ".", "--pretty", "false"));
  }
  // The packages declare that they have no side effects: what one import needs must be there all the same.
  writeFileSync(join(project, "one-import.ts"), 'import { sleep } from "meanwhile";\nawait sleep(1);\n');
  attempt("A bundle of a single import", () => {
    run(project, BUNDLER, "one-import.ts", "--bundle", "--platform=node", "--format=esm", "--outfile=bundle.mjs");
    return run(project, process.execPath, "bundle.mjs");
  });
  // Instrumented, a foreign await ends when it is cancelled: without, this program could not go on.
  writeFileSync(join(project, "instrumented.ts"), INSTRUMENTED);
  const register = ["--import", "@meanwhile/instrument/register"];
  writeFileSync(join(project, "database.ts"), DATABASE);
  attempt("A program with a database", () => {
    const output = run(project, process.execPath, "database.ts");
    if (output !== "42\n") throw new Error(`it writes: ${output}`);
    return output;
  });
  writeFileSync(join(project, "websocket.ts"), WEBSOCKET);
  attempt("A program with a WebSocket", () => {
    const output = run(project, process.execPath, "websocket.ts");
    if (output !== "hello\n") throw new Error(`it writes: ${output}`);
    return output;
  });
  writeFileSync(join(project, "cluster.ts"), CLUSTER);
  attempt("A program with a cluster", () => {
    const output = run(project, process.execPath, "cluster.ts");
    const code = "MW_ERR_CLUSTER_CONNECT";
    if (output !== `b.txt\n${code}\n${code}\n`) throw new Error(`it writes: ${output}`);
    return output;
  });
  const runs: ReadonlyArray<readonly [what: string, command: readonly [string, ...string[]]]> = [
    ["An instrumented program", [process.execPath, ...register, "instrumented.ts"]],
    ["The same from the cache", [process.execPath, ...register, "instrumented.ts"]],
    ["meanwhile run", ["npx", "--no-install", "meanwhile", "run", "--report", "instrumented.ts"]],
  ];
  for (const [what, command] of runs) {
    attempt(what, () => {
      const output = run(project, ...command);
      if (output !== "cleaned up\nafterwards\n") throw new Error(`it writes: ${output}`);
      return output;
    });
  }
  writeFileSync(join(project, "page.ts"), PAGE);
  attempt("A recording and its page", () => {
    run(project, "npx", "--no-install", "meanwhile", "run", "--record", "run.jsonl", "instrumented.ts");
    const output = run(project, process.execPath, "page.ts");
    if (output !== "200 200\n") throw new Error(`it writes: ${output}`);
    return output;
  });
  attempt("The command", () =>
    run(project, process.execPath, "node_modules/@meanwhile/cli/bin/meanwhile.js", "--help"),
  );
} finally {
  rmSync(project, { recursive: true });
}
