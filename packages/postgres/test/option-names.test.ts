import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect } from "../src/connect.ts";
import { createPool } from "../src/create-pool.ts";

const code = "MW_ERR_PG_INVALID_ARGUMENT";
const DSN = "postgresql://u:sekret@127.0.0.1:1/db";

describe("the options", () => {
  it("are refused where one has a name that none has, with the name that was meant", async () => {
    const CASES: ReadonlyArray<readonly [options: object, message: RegExp]> = [
      [{ connectionString: DSN }, /'connectionString': there is no such option; pass 'dsn'/],
      [{ dsn: DSN, max: 5 }, /pass 'maxSize'/],
      [{ dsn: DSN, constructor: 1 }, /'constructor'.*pass some of dsn, host/],
      [{ embedded: { dataDirr: "x" } }, /'dataDirr'.*dataDir/],
    ];
    for (const [options, message] of CASES) {
      assert.throws(() => createPool(options), { code, message });
      await assert.rejects(connect(options), { code });
    }
  });

  it("are refused where they are no options", async () => {
    for (const options of [
      null,
      5,
      [],
      true,
      new URL(DSN),
      { embedded: "yes" },
      { embedded: null },
      { embedded: [] },
    ]) {
      assert.throws(() => createPool(options as never), { code });
      await assert.rejects(connect(options as never), { code });
    }
    assert.throws(() => createPool(new URL(DSN) as never), { message: /href/ });
  });

  it("may be undefined, each of them", async () => {
    await using pool = createPool({ dsn: DSN, maxSize: undefined, embedded: undefined });
    assert.equal(pool.statistics().opened, 0);
  });
});
