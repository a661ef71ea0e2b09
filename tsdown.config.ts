// Builds every package into its dist/: the same files as in src/, so that bundlers leave out what is not used. The core once
// more into dist/node, in as few files as its entries need, and the load hook, the HTTP session, the pool, WebSockets and the cluster only so: for Node every
// file costs half a millisecond at the start.

import { defineConfig, type UserConfig } from "tsdown";

const base: UserConfig = {
  entry: [
    "src/{index,lowlevel,testing,workers,diagnostics,register,runtime,vite,rollup,rolldown,esbuild,program,transform-file}.ts",
    // What threads and processes start with: found by name, so each keeps its file.
    "src/fetch/far/functions.ts",
    "src/workers/{entry,sync-entry,source-functions}.ts",
    // The main module of a thread: nobody imports it.
    "src/diagnostics/worker/worker.ts",
  ],
  format: "esm",
  platform: "node",
  target: "node24",
  fixedExtension: false,
  unbundle: true,
  dts: { sourcemap: true },
  sourcemap: true,
  publint: "ci-only",
  attw: { enabled: "ci-only", profile: "esm-only", level: "error" },
};

const fewFiles = { unbundle: false, hash: false, dts: false } as const;

// What several entries of the core need: in one file what all of them do, in another one what is for threads and processes.
const coreFiles = {
  groups: [
    { name: "shared-by-workers", test: /[\\/]src[\\/]workers[\\/]/, minShareCount: 2, priority: 2 },
    {
      name: "kernel",
      test: /[\\/]src[\\/](?:kernel|clock|util|time[\\/]sleep|errors|lowlevel)/,
      minShareCount: 2,
      priority: 3,
    },
  ],
};

const config: UserConfig[] = defineConfig([
  { ...base, workspace: "packages/!(instrument|http|postgres|websocket|cluster)" },
  {
    ...base,
    workspace: "packages/meanwhile",
    outDir: "dist/node",
    ...fewFiles,
    outputOptions: { codeSplitting: coreFiles },
  },
  { ...base, workspace: "packages/{instrument,http,postgres,websocket,cluster}", ...fewFiles },
  {
    ...base,
    workspace: "packages/{instrument,http,postgres,websocket,cluster}",
    dts: { sourcemap: true, emitDtsOnly: true },
    clean: false,
  },
]);

export default config;
