// Builds every package into its dist/: the same files as in src/, so that stacks and declarations read alike.

import { defineConfig, type UserConfig } from "tsdown";

const config: UserConfig = defineConfig({
  workspace: "packages/*",
  entry: [
    "src/{index,lowlevel,testing,workers,diagnostics,register,runtime,vite,rollup,rolldown,esbuild,program,transform-file}.ts",
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
});

export default config;
