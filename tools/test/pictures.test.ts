// The pictures of the README are what the project draws, and --check turns red when they are not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

import { likenessOf } from "../pictures.ts";
import { runTool, TOOLS } from "./repository.ts";

const DRAWN = Object.fromEntries(
  ["light", "dark"].map((theme) => {
    const path = `docs/pictures/waiting-${theme}.svg`;
    return [path, readFileSync(join(TOOLS, "..", path), "utf8")];
  }),
);
const [picture = ""] = Object.values(DRAWN);

describe("pictures", () => {
  it("are what the program draws now, whatever time it took", () => {
    assert.deepEqual(runTool("pictures.ts", DRAWN, "--check"), { exitCode: 0, output: "" });
  });

  it("turn red when one is another one, or is not there", () => {
    const [light = "", dark = ""] = Object.keys(DRAWN);
    const { exitCode, output } = runTool(
      "pictures.ts",
      { [light]: picture.replaceAll("#0b5cad", "#000000") },
      "--check",
    );
    assert.equal(exitCode, 1);
    assert.match(output, new RegExp(`${light} is not what the program draws: run \`npm run pictures\``));
    assert.match(output, new RegExp(`${dark} is not`));
  });

  it("are alike with other times, and not with other tasks, colours or kinds of marks", () => {
    const later = picture.replaceAll(/\d+(\.\d+)? ms/g, "1.23 s").replaceAll(/M\d+/g, "M7");
    assert.equal(likenessOf(later), likenessOf(picture));
    for (const [from, to] of [
      ["api.com/3", "api.com/4"],
      ["One after another", "Together"],
      ["#c0daf6", "#ffffff"],
      ['<rect class="waiting"', '<rect class="blocked"'],
    ] as const) {
      assert.ok(picture.includes(from), from);
      assert.notEqual(likenessOf(picture.replaceAll(from, to)), likenessOf(picture), from);
    }
  });
});
