// npm run bench [row…] [-- --quick]: measures the rows side by side and writes what came out.
//
//   node run.ts                 all rows, five rounds, results and README are written
//   node run.ts gather map      these rows
//   node run.ts core            the rows of the package meanwhile itself
//   node run.ts workers         the rows of meanwhile/workers
//   node run.ts --rounds 3      fewer, or more
//   node run.ts --quick         two rounds, nothing is written
//   node run.ts --readme        writes the README, and the numbers in docs/cluster.md, anew from the results

import { loadavg } from "node:os";
import { parseArgs } from "node:util";

import { chart } from "./harness/chart.ts";
import { updatePaper } from "./harness/paper.ts";
import { measureOnce, missing, versions } from "./harness/peers.ts";
import { updateReadme } from "./harness/readme.ts";
import { type Result, type Rounds, summarize, writeResult } from "./harness/results.ts";
import { type Measured, type Peer, type Row } from "./harness/row.ts";
import { plainTable } from "./harness/table.ts";
import { core, rows, workers } from "./rows/index.ts";

const ROUNDS = 5;
const QUICK_ROUNDS = 2;
// The children of the row before still count in the load of the last minute.
const QUIET_LOAD = 1.5;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      readme: { type: "boolean", default: false },
      rounds: { type: "string", default: String(ROUNDS) },
    },
  });
  if (values.readme) {
    updateReadme(rows);
    updatePaper();
    return;
  }
  for (const row of chosen(positionals)) {
    const rounds = Number(values.rounds);
    const result = await measure(row, values.quick ? QUICK_ROUNDS : Math.min(rounds, row.rounds ?? rounds));
    if (result === null) continue;
    console.log(`\n${plainTable(result)}\n`);
    if (!values.quick) writeResult(result, chart(result));
  }
  if (values.quick) return;
  updateReadme(rows);
  updatePaper();
}

const GROUPS: Readonly<Record<string, readonly Row[]>> = { core, workers };

function chosen(names: readonly string[]): readonly Row[] {
  const wanted = new Set(names.flatMap((name) => GROUPS[name]?.map((row) => row.name) ?? [name]));
  const unknown = [...wanted].filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length > 0) {
    const known = rows.map(({ name }) => name).join(", ");
    throw new Error(
      `Cannot measure ${unknown.join(", ")}; the rows are ${known}, and ${Object.keys(GROUPS).join(" and ")} for several of them`,
    );
  }
  return wanted.size === 0 ? rows : rows.filter(({ name }) => wanted.has(name));
}

async function measure(row: Row, rounds: number): Promise<Result | null> {
  const noServer = row.server?.missing() ?? null;
  if (noServer !== null) {
    console.log(`${row.name} is skipped: ${noServer}`);
    return null;
  }
  await using _server = await row.server?.start();
  const skipped = row.peers.flatMap((peer) => {
    const why = missing(peer);
    return why === null ? [] : [{ peer: peer.name, why }];
  });
  for (const { peer, why } of skipped) console.log(`${row.name}: ${peer} is skipped: ${why}`);
  const present = row.peers.filter(({ name }) => !skipped.some(({ peer }) => peer === name));
  const loadBefore = loadavg()[0] ?? 0;
  if (loadBefore > QUIET_LOAD) console.log(`${row.name}: the machine is busy, its load is ${loadBefore.toFixed(1)}`);
  const measured = await alternate(row, present, rounds);
  return summarize(row, measured, new Map(present.map((peer) => [peer.name, versions(peer) ?? ""])), {
    skipped,
    loadBefore,
  });
}

// A B C A B C: what disturbs the machine for a while does not fall on one peer alone.
async function alternate(row: Row, peers: readonly Peer[], rounds: number): Promise<Rounds> {
  const measured = new Map<string, Measured[]>(peers.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const peer of peers.filter((one) => round <= (one.rounds ?? rounds))) {
      const figures = await measureOnce(row, peer);
      measured.get(peer.name)?.push(figures);
      console.error(`${row.name} ${round}/${rounds} ${peer.name}: ${JSON.stringify(figures)}`);
    }
  }
  return measured;
}

await main();
