import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { checkpoint, TaskCancelledError } from "meanwhile";
import type { Job } from "meanwhile/workers";

import { threads } from "./pools.ts";

/** Waits until a job has ended, without asking it for anything, and for a turn more. */
async function ended(job: Job<unknown>): Promise<void> {
  while (!job.done) await new Promise((resolve) => void setImmediate(resolve));
  await new Promise((resolve) => void setImmediate(resolve));
}

const refusal = { name: "Refusal", message: "no" };

describe("the failure of a job that was started", () => {
  it("waits for a reader of its progress who is slow, and is thrown to it", async () => {
    await using pool = threads();
    const job = pool.start("reportAndRefuse", ["no"]);
    const seen: unknown[] = [];
    const reading = async (): Promise<void> => {
      for await (const value of job.progress) {
        seen.push(value);
        await ended(job);
      }
    };
    await assert.rejects(reading, refusal);
    assert.deepEqual(seen, ["soon"]);
    await assert.rejects(async () => await job, refusal);
  });

  it("is thrown at the end of its block, if nobody has met it", async () => {
    await using pool = threads();
    const block = async (): Promise<void> => {
      await using job = pool.start("refuse", ["no"]);
      await ended(job);
    };
    await assert.rejects(block, refusal);
  });

  it("is not thrown again at the end of its block", async () => {
    await using pool = threads();
    {
      await using job = pool.start("refuse", ["no"]);
      await ended(job);
      await assert.rejects(async () => await job, refusal);
    }
    {
      await using job = pool.start("refuse", ["no"]);
      const awaited = assert.rejects(async () => await job, refusal);
      await checkpoint();
      await awaited;
    }
    {
      await using job = pool.start("reportAndRefuse", ["no"]);
      await assert.rejects(async () => {
        for await (const _value of job.progress);
      }, refusal);
    }
  });

  it("is no news to who has cancelled it", async () => {
    await using pool = threads();
    await using job = pool.start("waitForever", []);
    const { progress } = job;
    job.cancel();
    for await (const _value of progress);
    await assert.rejects(async () => await job, TaskCancelledError);
  });
});
