// Can be loaded once: the file that the environment names must not be there yet.

import { appendFileSync, writeFileSync } from "node:fs";

const file = process.env["MEANWHILE_TEST_STARTS"] ?? "";
appendFileSync(`${file}.log`, "x");
writeFileSync(file, "", { flag: "wx" });

export function waitBriefly(ms: number): number {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
}
