import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";
import { offerDiagnostics, startDiagnostics } from "meanwhile/diagnostics";

const isNode = !("bun" in process.versions || "deno" in process.versions);

describe("diagnostics on another host than Node", () => {
  it("are refused, and where they are only offered nothing happens", { skip: isNode }, async () => {
    assert.throws(() => startDiagnostics(), { code: "MW_ERR_DIAGNOSTICS_HOST" });
    offerDiagnostics({ level: 1, socket: false });
    assert.equal(await run(async () => 1, { debug: true }), 1);
  });
});
