// Runs the sources as they are, like everything here.

import type { ViteUserConfig } from "vitest/config";

const conditions = ["@meanwhile/source", "node", "import", "default"];

const config: ViteUserConfig = {
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ["*.test.ts"], maxWorkers: 1 },
};

export default config;
