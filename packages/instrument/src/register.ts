// node --import @meanwhile/instrument/register app.ts
//
// MEANWHILE_INSTRUMENT=off          leaves everything as it is
// MEANWHILE_INSTRUMENT_PACKAGES     packages under node_modules that are instrumented too: a,b,@scope/*
// MEANWHILE_INSTRUMENT_CACHE=off    keeps nothing on disk

import * as nodeModule from "node:module";

const settings = process.env;

if (settings["MEANWHILE_INSTRUMENT"] !== "off") {
  if (typeof nodeModule.registerHooks === "function") await start();
  else {
    process.emitWarning(
      `Cannot instrument the program: ${hostName()} has no module.registerHooks; use Node 24 or newer, or a bundler plugin of @meanwhile/instrument`,
      { type: "MeanwhileWarning", code: "MW_WARN_NOT_INSTRUMENTED" },
    );
  }
}

async function start(): Promise<void> {
  const [{ installHook }, { silenceCancellations }] = await Promise.all([
    import("./hook.ts"),
    import("./rejections.ts"),
    import("./runtime.ts"),
  ]);
  silenceCancellations();
  installHook({
    packages: ["@meanwhile/*", ...(settings["MEANWHILE_INSTRUMENT_PACKAGES"] ?? "").split(",").filter(Boolean)],
    entry: settings["MEANWHILE_INSTRUMENT_ENTRY"],
    cache: settings["MEANWHILE_INSTRUMENT_CACHE"] !== "off",
  });
}

function hostName(): string {
  return process.versions["bun"] === undefined ? `Node ${process.versions.node}` : "Bun";
}
