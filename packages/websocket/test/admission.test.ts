import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Admission } from "../src/admission.ts";

describe("Admission", () => {
  it("lets in so many in total, and so many of one address", () => {
    const admission = new Admission(3, 2);
    assert.equal(admission.enter("10.0.0.1"), null);
    assert.equal(admission.enter("10.0.0.1"), null);
    assert.equal(admission.enter("10.0.0.1"), "address");
    assert.equal(admission.enter("10.0.0.2"), null);
    assert.equal(admission.enter("10.0.0.3"), "server");
    admission.leave("10.0.0.1");
    assert.equal(admission.enter("10.0.0.1"), null);
    assert.equal(admission.size, 3);
  });

  for (const [first, second, areOne] of [
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::7", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["2001:DB8::1", "2001:db8:0:0:5:6:7:8", true],
    ["::1", "::2", true],
    ["fe80::1%eth0", "fe80::2%eth1", true],
    ["::ffff:10.0.0.1", "10.0.0.1", true],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.2", false],
    ["10.0.0.1", "10.0.0.2", false],
  ] as const) {
    it(`takes ${first} and ${second} for ${areOne ? "one" : "two"}`, () => {
      const admission = new Admission(10, 1);
      admission.enter(first);
      assert.equal(admission.enter(second), areOne ? "address" : null);
    });
  }

  it("gives the place of one who is leaving to another", () => {
    const admission = new Admission(2, 1);
    admission.enter("10.0.0.1");
    admission.takePlace("10.0.0.1");
    admission.leave("10.0.0.1");
    assert.equal(admission.enter("10.0.0.1"), "address");
    assert.equal(admission.enter("10.0.0.2"), null);
    assert.equal(admission.enter("10.0.0.1"), "address", "whoever has too many is told so, full or not");
    assert.equal(admission.enter("10.0.0.3"), "server");
  });

  it("counts whoever has no address only in total", () => {
    const admission = new Admission(2, 1);
    assert.equal(admission.enter(undefined), null);
    assert.equal(admission.enter(undefined), null);
    assert.equal(admission.enter(undefined), "server");
    admission.leave(undefined);
    assert.equal(admission.enter(undefined), null);
  });
});
