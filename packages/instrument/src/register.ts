// node --import @meanwhile/instrument/register app.ts
//
// MEANWHILE_INSTRUMENT=off          leaves everything as it is
// MEANWHILE_INSTRUMENT_ENTRY=URL    this file is the main module, whoever loads it
// MEANWHILE_INSTRUMENT=entry        does only that
// MEANWHILE_INSTRUMENT_PACKAGES     packages under node_modules that are instrumented too: a,b,@scope/*
// MEANWHILE_INSTRUMENT_REPORT=1     tells at the end where the program waited and where it was busy
// MEANWHILE_INSTRUMENT_CACHE=off    keeps nothing on disk

import { realpathSync } from "node:fs";
import * as nodeModule from "node:module";
import { pathToFileURL } from "node:url";

import { warnUnmappedCoverage, warnUnsupported } from "./warnings.ts";

const settings = process.env;

const OLDEST_NODE = 24;
const mode = settings["MEANWHILE_INSTRUMENT"];
const entry = settings["MEANWHILE_INSTRUMENT_ENTRY"];
// Processes and workers that the program starts begin with files of their own.
delete settings["MEANWHILE_INSTRUMENT_ENTRY"];

if (mode !== "off") {
  if (typeof nodeModule.registerHooks === "function" && Number.parseInt(process.versions.node, 10) >= OLDEST_NODE)
    await start();
  else warnUnsupported(hostName());
}

async function start(): Promise<void> {
  if (isTestCoverage() && !process.sourceMapsEnabled) warnUnmappedCoverage();
  const { installHook } = await import("./hook.ts");
  if (mode !== "entry") await startRuntime();
  installHook({
    packages: ["@meanwhile/*", ...namesIn(settings["MEANWHILE_INSTRUMENT_PACKAGES"] ?? "")],
    entry,
    launcher: entry === undefined ? undefined : pathToFileURL(realpathSync(process.argv[1] ?? "")).href,
    onlyEntry: mode === "entry",
    cache: settings["MEANWHILE_INSTRUMENT_CACHE"] !== "off",
  });
}

async function startRuntime(): Promise<void> {
  const [{ silenceCancellations }] = await Promise.all([import("./rejections.ts"), import("./runtime.ts")]);
  silenceCancellations();
  if (settings["MEANWHILE_INSTRUMENT_REPORT"] === "1") (await import("./report/report.ts")).reportAtExit();
}

/** Node's own: it runs test files as processes that write into a folder of this name. Other tools read the maps. */
function isTestCoverage(): boolean {
  return (
    process.execArgv.includes("--experimental-test-coverage") ||
    settings["NODE_V8_COVERAGE"]?.includes("node-coverage-") === true
  );
}

function namesIn(list: string): string[] {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}

function hostName(): string {
  return process.versions["bun"] === undefined ? `Node ${process.versions.node}` : "Bun";
}
