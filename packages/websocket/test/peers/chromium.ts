// A headless Chromium as a peer: it opens a page, whose script does the rest.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHROMIUM = process.env["MEANWHILE_TEST_CHROMIUM"] ?? "/usr/bin/chromium";

/** Why its tests are skipped; false if it is there. */
export const chromiumMissing: string | false =
  spawnSync(CHROMIUM, ["--version"]).status === 0
    ? false
    : `needs ${CHROMIUM}, or that in MEANWHILE_TEST_CHROMIUM: apt-get install chromium`;

/** Opens a page. Disposing it ends the browser. */
export async function openPage(url: string): Promise<AsyncDisposable> {
  const profile = await mkdtemp(join(tmpdir(), "meanwhile-chromium-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  const child = spawn(CHROMIUM, [...flags, "--disable-background-networking", `--user-data-dir=${profile}`, url], {
    stdio: "ignore",
    detached: true, // a process group, to be ended as a whole
  });
  const exited = once(child, "exit");
  await once(child, "spawn");
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
