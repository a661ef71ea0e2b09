// A queue of jobs in a table: workers are told of new ones by NOTIFY, and each job is taken by one of them.
// A worker that fails, or is cancelled, rolls back: its job is there for the next one.

import { createPool, type Pool } from "@meanwhile/postgres";
import { run, sleep, taskGroup } from "meanwhile";

interface Job {
  readonly id: number;
  readonly name: string;
}

const done: string[] = [];

/** Takes jobs until there is none. */
async function workOff(pool: Pool, worker: string): Promise<void> {
  const one = (): Promise<boolean> =>
    pool.transaction(async (connection) => {
      const job = await connection.fetchRow<Job>(
        "delete from jobs where id = (select id from jobs order by id for update skip locked limit 1) returning *",
      );
      if (job === undefined) return false;
      await sleep(5); // the work
      done.push(`${job.name} by ${worker}`);
      return true;
    });
  while (await one());
}

async function work(pool: Pool, worker: string): Promise<void> {
  for await (const _ of pool.listen("jobs")) await workOff(pool, worker);
}

await run(async () => {
  await using pool = createPool({ embedded: true });
  await pool.execute("create table jobs (id serial primary key, name text not null)");
  await taskGroup(async (group) => {
    for (const worker of ["Ada", "Grace"]) group.createTask(() => work(pool, worker));
    for (let batch = 1; done.length < 6; batch += 1) {
      if (batch <= 2) {
        await pool.executeMany(
          "insert into jobs (name) values ($1)",
          ["a", "b", "c"].map((name) => [name + batch]),
        );
      }
      await pool.notify("jobs");
      await sleep(20);
    }
    group.cancel();
  });
  console.log(done.toSorted());
});
