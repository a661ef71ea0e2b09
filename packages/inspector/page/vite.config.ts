// Builds the page: one HTML, one script, one style sheet, and nothing in them that a strict content policy forbids.

import { join } from "node:path";

import { defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { alias: { "meanwhile/diagnostics": join(import.meta.dirname, "src/data/reading.ts") } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: false,
    // What is built in has to be named where it is given away.
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      output: {
        entryFileNames: "assets/page.js",
        assetFileNames: "assets/[name][extname]",
        chunkFileNames: "assets/[name].js",
      },
    },
  },
});

export default config;
