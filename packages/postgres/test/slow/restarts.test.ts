// A server that goes and comes back while 50 tasks work with it: no call is left waiting, and nothing ends the process.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { createTask, gather, run, timeout, TimeoutError } from "meanwhile";

import { noteFigure } from "../../../../tools/figures.ts";
import { createPool } from "../../src/create-pool.ts";
import { PostgresError } from "../../src/errors.ts";
import { startOwnServer } from "../servers.ts";
import { TABLES, WORKS } from "../work.ts";

const RESTARTS = Math.ceil(6 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
const TASKS = 50;
const DEADLINE_MS = 2_000;
const CLEANUP_MS = 2_500;

describe("a server that is restarted under load", () => {
  for (const mode of ["fast", "immediate"] as const) {
    it(`strands nobody: ${mode}`, async () => {
      await using server = await startOwnServer();
      const codes = new Map<string, number>();
      let calls = 0;
      const startedAt = performance.now();
      await run(async () => {
        await using pool = createPool({ dsn: server.dsn, maxSize: 10 });
        await pool.execute(TABLES);
        await using listener = pool.listen("restarts");
        await listener.ready();
        const kinds: string[] = [];
        const listening = createTask(async () => {
          for await (const event of listener) kinds.push(event.kind);
        });
        let restarted = 0;
        const isOver = (): boolean => restarted === RESTARTS;
        const loop = async (): Promise<void> => {
          for (let turn = 0; !isOver(); turn += 1) {
            const { name, run: work, gives } = WORKS[turn % WORKS.length] ?? assert.fail();
            const begunAt = performance.now();
            const code = await timeout(DEADLINE_MS, () => work(pool)).then(
              (given) => {
                assert.equal(given, gives, name);
                return "done";
              },
              (error: unknown) => {
                if (error instanceof PostgresError || error instanceof TimeoutError) return error.code;
                throw new Error(`${name}: not a documented error`, { cause: error });
              },
            );
            const ms = performance.now() - begunAt;
            assert.ok(ms < DEADLINE_MS + CLEANUP_MS, `${name} takes ${ms} ms`);
            calls += 1;
            codes.set(code, (codes.get(code) ?? 0) + 1);
            if (code !== "done") await pause(1); // whoever has no server should not take all the time there is
          }
        };
        const restarts = async (): Promise<void> => {
          for (; !isOver(); restarted += 1) {
            for (let step = 0; step < 30; step += 1) await pause(10);
            await server.restart(mode);
          }
        };
        await gather([...Array.from({ length: TASKS }, () => loop), restarts]);
        const answers = await timeout(2_000, () =>
          gather(Array.from({ length: 10 }, () => () => pool.fetchValue("select 1"))),
        );
        assert.deepEqual(answers, Array(10).fill(1));
        const { held, waiting, size } = pool.statistics();
        assert.deepEqual([held, waiting], [0, 0]);
        assert.ok(size <= 10, `${size} connections`);
        // What is notified now is heard, and the gap was told.
        for (let tries = 0; !kinds.includes("notification") && tries < 500; tries += 1) {
          await pool.notify("restarts", "back");
          await pause(5);
        }
        assert.ok(kinds.includes("reconnected") && kinds.includes("notification"), kinds.join());
        await listener.return();
        await listening;
      });
      const note = Array.from(codes, ([code, count]) => `${code} ${count}`).join(", ");
      noteFigure(`Postgres: restarts under load, ${mode}`, {
        count: calls,
        unit: "calls",
        ms: performance.now() - startedAt,
        note,
      });
    });
  }
});
