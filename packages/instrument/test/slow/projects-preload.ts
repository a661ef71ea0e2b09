// meanwhile:off file
// Loaded into every process of another project's test suite, before everything else.

import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

import type { Frame, FunctionSite } from "meanwhile/lowlevel";

const { MEANWHILE_PROJECT_MODE: mode, MEANWHILE_PROJECT_FOLDER = "", MEANWHILE_PROJECT_FILES = "" } = process.env;
const project = `${pathToFileURL(MEANWHILE_PROJECT_FOLDER).href}/`;

if (mode !== "plain") {
  await import("../../src/register.ts");
  noteFiles();
  await countCalls();
}
if (mode === "in a run") await beginRun();

/** Notes which files of the project were instrumented. */
function noteFiles(): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const isOwn = url.startsWith(project) && !url.includes("/node_modules/");
      if (isOwn && textOf(loaded.source).includes("__mw.")) appendFileSync(MEANWHILE_PROJECT_FILES, `${url}\n`);
      return loaded;
    },
  });
}

function textOf(source: unknown): string {
  return typeof source === "string" ? source : Buffer.from((source ?? []) as Uint8Array).toString();
}

/** Notes at the end how many calls of instrumented functions were in a run. */
async function countCalls(): Promise<void> {
  const { runtime } = (await import("../../src/runtime.ts")) as {
    runtime: { e: (site: FunctionSite, around?: Frame) => Frame };
  };
  const enter = runtime.e;
  let calls = 0;
  runtime.e = (site, around) => {
    const frame = enter(site, around);
    // Outside of runs all calls have one frame, which has no place.
    if (frame.site === site) calls += 1;
    return frame;
  };
  process.on("exit", () => appendFileSync(MEANWHILE_PROJECT_FILES, `${calls}\n`));
}

/** All that runs in this process belongs to a run, until nothing is left to do. */
async function beginRun(): Promise<void> {
  const [{ run }, { adoptContextless, currentScopeNode, untilIdle }] = await Promise.all([
    import("meanwhile"),
    import("meanwhile/lowlevel"),
  ]);
  run(
    async () => {
      using adopted = adoptContextless(currentScopeNode());
      await untilIdle();
      return adopted;
    },
    { handleSignals: false },
  ).catch((error: unknown) => {
    process.exitCode = 1;
    console.error(error);
  });
}
