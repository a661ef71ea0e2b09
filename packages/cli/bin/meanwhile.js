#!/usr/bin/env node
import * as nodeModule from "node:module";

if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(`meanwhile: needs Node 24 or newer, and this is ${process.versions.node}\n`);
  process.exit(3);
}
// Before the import, so that it covers everything.
nodeModule.enableCompileCache?.();
const { main } = await import("@meanwhile/cli");
await main(process.argv.slice(2));
