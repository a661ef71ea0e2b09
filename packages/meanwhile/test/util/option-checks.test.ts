import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { OptionChecks, showKind } from "meanwhile/lowlevel";

const checks = new OptionChecks((name, value, wanted) => new TypeError(`${name}: ${showKind(value)}; ${wanted}`));

const refused = (check: () => void, message: string): void => assert.throws(check, { name: "TypeError", message });

describe("a check of an option", () => {
  it("passes what is left out, and what can be used", () => {
    checks.ms("a", undefined);
    checks.ms("a", 0.5);
    checks.ms("a", Infinity);
    checks.count("a", undefined, 1);
    checks.count("a", 1, 1);
    checks.count("a", Infinity, 1);
    checks.flag("a", undefined);
    checks.flag("a", false);
    checks.text("a", undefined);
    checks.text("a", "x");
    checks.word("a", undefined, ["x"]);
    checks.word("a", "x", ["x", "y"]);
    checks.function("a", undefined);
    checks.function("a", () => {});
  });

  it("refuses the rest with the error it was given, and says what to pass", () => {
    refused(() => checks.ms("a", 0), "a: 0; milliseconds > 0, or Infinity for no limit");
    refused(() => checks.ms("a", NaN), "a: NaN; milliseconds > 0, or Infinity for no limit");
    refused(() => checks.ms("a", "1" as never), "a: a string; milliseconds > 0, or Infinity for no limit");
    refused(() => checks.count("a", 1.5, 0), "a: 1.5; an integer >= 0, or Infinity for no limit");
    refused(() => checks.count("a", 0, 1), "a: 0; an integer >= 1, or Infinity for no limit");
    refused(() => checks.flag("a", 1), "a: 1; true or false");
    refused(() => checks.text("a", ""), "a: a string; a text that is not empty");
    refused(() => checks.text("a", "\0"), "a: a string; a text that is not empty");
    refused(() => checks.word("a", "z", ["x", "y"]), "a: a string; one of x, y");
    refused(() => checks.function("a", {}), "a: an object; a function");
  });
});

describe("showKind", () => {
  it("shows numbers and flags, and of what may be secret only the kind", () => {
    const shown = [null, undefined, 7, true, "secret", ["secret"], { secret: 1 }, Symbol("secret")].map(showKind);
    assert.deepEqual(shown, ["null", "undefined", "7", "true", "a string", "an array", "an object", "a symbol"]);
  });
});
