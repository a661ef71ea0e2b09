import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connect, SqlError } from "@meanwhile/postgres";

import { startServer } from "./servers.ts";

describe("an error of the server", () => {
  it("shows no argument that is a name, or in a query that a function makes, and no part of one", async () => {
    const { dsn } = await startServer();
    await using connection = await connect(dsn);
    const ASKED: ReadonlyArray<readonly [text: string, ...args: unknown[]]> = [
      ["select $1::regclass", "SECRETTBL"],
      ["select $1::regclass", "Public.SecretTbl"],
      ["select $1::regtype", "SecretType"],
      ["select $1::regprocedure", "secretfn(int)"],
      ["select nextval($1)", "SECRETSEQ"],
      ["select $1::text[]::regclass[]", ["SecretTbl"]],
      ["select query_to_xml($1, true, true, '')", "select secretcolumn from pg_class"],
      ["select query_to_xml($1, true, true, '')", "select secretfn(1)"],
    ];
    for (const [text, ...args] of ASKED) {
      const error = await connection.fetch(text, ...args).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof SqlError, text);
      assert.equal(error.sqlstate.slice(0, 2), "42");
      assert.doesNotMatch(error.message, /secret/i);
      assert.match(error.serverMessage, /secret/i);
    }
  });

  it("shows what stands in the statement", async () => {
    const { dsn } = await startServer();
    await using connection = await connect(dsn);
    const failing = connection.fetch("select missing from pg_class where relname = $1", "what is missing");
    await assert.rejects(failing, { message: /column "missing" does not exist/ });
  });
});
