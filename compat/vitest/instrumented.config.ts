// The same with instrumented code.

import { instrument } from "@meanwhile/instrument/vite";
import { mergeConfig, type ViteUserConfig } from "vitest/config";

import plain from "./vitest.config.ts";

const config: ViteUserConfig = mergeConfig(plain, { plugins: [instrument()] });

export default config;
