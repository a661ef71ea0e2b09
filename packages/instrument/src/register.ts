// node --import @meanwhile/instrument/register app.ts
//
// MEANWHILE_INSTRUMENT=off          leaves everything as it is
// MEANWHILE_INSTRUMENT_ENTRY=URL    this file is the main module, whoever loads it
// MEANWHILE_INSTRUMENT=entry        does only that
// MEANWHILE_INSTRUMENT_PACKAGES     packages under node_modules that are instrumented too: a,b,@scope/*
// MEANWHILE_INSTRUMENT_REPORT=1     tells at the end where the program waited and where it was busy
// MEANWHILE_INSTRUMENT_CACHE=off    keeps nothing on disk

import * as nodeModule from "node:module";

const settings = process.env;

const OLDEST_NODE = 24;
const mode = settings["MEANWHILE_INSTRUMENT"];

if (mode !== "off") {
  if (typeof nodeModule.registerHooks === "function" && Number.parseInt(process.versions.node, 10) >= OLDEST_NODE)
    await start();
  else {
    process.emitWarning(
      `Cannot instrument the program: it runs in ${hostName()}; use Node ${OLDEST_NODE} or newer, or a bundler plugin of @meanwhile/instrument`,
      { type: "MeanwhileWarning", code: "MW_WARN_NOT_INSTRUMENTED" },
    );
  }
}

async function start(): Promise<void> {
  const { installHook } = await import("./hook.ts");
  if (mode !== "entry") await startRuntime();
  installHook({
    packages: ["@meanwhile/*", ...(settings["MEANWHILE_INSTRUMENT_PACKAGES"] ?? "").split(",").filter(Boolean)],
    entry: settings["MEANWHILE_INSTRUMENT_ENTRY"],
    onlyEntry: mode === "entry",
    cache: settings["MEANWHILE_INSTRUMENT_CACHE"] !== "off",
  });
}

async function startRuntime(): Promise<void> {
  const [{ silenceCancellations }] = await Promise.all([import("./rejections.ts"), import("./runtime.ts")]);
  silenceCancellations();
  if (settings["MEANWHILE_INSTRUMENT_REPORT"] === "1") (await import("./report/report.ts")).reportAtExit();
}

function hostName(): string {
  return process.versions["bun"] === undefined ? `Node ${process.versions.node}` : "Bun";
}
