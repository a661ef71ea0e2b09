// SELECT * FROM users: a pool, a transaction, and a statement that ends on the server when its time is up.
// Uses DATABASE_URL if that is set; else it starts a PostgreSQL of its own, which is gone when the program ends.

import { createPool, sql } from "@meanwhile/postgres";
import { gather, moveOnAfter, run } from "meanwhile";

interface User {
  readonly id: number;
  readonly name: string;
}

await run(async () => {
  await using pool = createPool();
  await using connection = await pool.acquire(); // a temporary table is seen by its own connection only
  await connection.execute("create temporary table users (id int primary key, name text not null)");
  await connection.transaction(async () => {
    for (const [id, name] of ["Ada", "Grace", "Edsger"].entries()) {
      await connection.execute(sql`insert into users values (${id + 1}, ${name})`);
    }
  });
  console.log(await connection.fetch<User>("select * from users"));

  const asked = [1, 2, 3].map((n) => () => pool.fetchValue("select $1::int from pg_sleep(0.2)", n));
  const started = performance.now();
  console.log(await gather(asked), `in ${Math.round(performance.now() - started)} ms, on a connection each`);

  await moveOnAfter(100, () => connection.fetch("select pg_sleep(20)"));
  console.log(
    `${await connection.fetchValue<bigint>("select count(*) from users")} users; the connection is as good as before`,
  );
});
