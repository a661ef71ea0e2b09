// Runs every program in examples/ as a reader would; fails when one does not end by itself with exit code 0.

import { execFile } from "node:child_process";

import { filesMatching, report } from "./source.ts";

const TIMEOUT_MS = 60_000;
const AT_ONCE = 2;

async function check(file: string): Promise<void> {
  const started = performance.now();
  return new Promise((resolve) => {
    const args = ["--conditions=@meanwhile/source", file];
    execFile(process.execPath, args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      if (error === null) console.log(`${file}: ${seconds} s`);
      else report(`${file} ends with ${error.code ?? error.signal} after ${seconds} s:\n${stdout}${stderr}`);
      resolve();
    });
  });
}

const waiting = filesMatching("examples/*.ts");
if (waiting.length === 0) report("No examples/*.ts here: run this in the root of the repository");
const drain = async (): Promise<void> => {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await check(file);
};
await Promise.all(Array.from({ length: AT_ONCE }, drain));
