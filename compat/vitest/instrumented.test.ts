// Tests of a user whose code is instrumented by the plugin for vite: see vitest.config.ts.

import { moveOnAfter, run, timeout } from "meanwhile";
import { describe, expect, it } from "vitest";

async function hangs(ended: string[]): Promise<void> {
  try {
    await new Promise<never>(() => {});
  } finally {
    await Promise.resolve();
    ended.push("cleaned up");
  }
}

describe("@meanwhile/instrument under Vitest", () => {
  it("lets a test be cancelled at a foreign await", async () => {
    const ended: string[] = [];
    await expect(run(() => timeout(20, () => hangs(ended)))).rejects.toMatchObject({ name: "TimeoutError" });
    await run(() => moveOnAfter(20, () => hangs(ended)));
    expect(ended).toEqual(["cleaned up", "cleaned up"]);
  });
});
