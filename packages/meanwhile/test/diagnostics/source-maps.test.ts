import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";

import { pathOf, SourceMaps } from "../../src/diagnostics/worker/source-maps.ts";

const folder = mkdtempSync(join(tmpdir(), "meanwhile-test-"));
after(() => rmSync(folder, { recursive: true }));

const CODE = pathToFileURL(join(folder, "out.js")).href;
/** The first column of the first line comes from line 3, column 4, counted from 0. */
const MAP = { version: 3, sources: ["source.ts"], names: [], mappings: "AAGI" };
const FROM_SOURCE = { function: "load", file: join(folder, "source.ts"), line: 4, column: 5 };
const AS_IT_RUNS = { function: "load", file: join(folder, "out.js"), line: 1, column: 1 };

function placeWith(sourceMapURL: string | undefined, functionName = "load", frameUrl = CODE): unknown {
  const maps = new SourceMaps();
  maps.add({ scriptId: "7", url: CODE, ...(sourceMapURL === undefined ? {} : { sourceMapURL }) } as never);
  return maps.placeOf({
    functionName,
    location: { scriptId: "7", lineNumber: 0, columnNumber: 0 },
    url: frameUrl,
  } as never);
}

function mapFile(name: string, text = JSON.stringify(MAP)): string {
  writeFileSync(join(folder, name), text);
  return name;
}

describe("A frame", () => {
  it("stands in its source, if there is a map: in a file, or in the code", () => {
    const text = JSON.stringify(MAP);
    const encoded = `data:application/json;charset=utf-8;base64,${Buffer.from(text).toString("base64")}`;
    for (const url of [mapFile("out.js.map"), encoded, `data:application/json,${encodeURIComponent(text)}`]) {
      assert.deepEqual(placeWith(url), FROM_SOURCE);
    }
    assert.deepEqual(placeWith("out.js.map", "load", ""), FROM_SOURCE);
  });

  it("stands in the code that runs, if there is no map, or none that can be read", () => {
    const large = mapFile("large.map");
    truncateSync(join(folder, large), 1_000_000_000);
    const silent = mapFile("silent.map", JSON.stringify({ ...MAP, mappings: ";AAGI" }));
    for (const url of [
      undefined,
      "gone.map",
      mapFile("torn.map", "{"),
      large,
      silent,
      "https://127.0.0.1/out.js.map",
    ]) {
      assert.deepEqual(placeWith(url), AS_IT_RUNS, url ?? "no map");
    }
  });

  it("has no name that an instrumented function has got, which the program never wrote", () => {
    assert.deepEqual(placeWith(undefined, "__mwBody"), { ...AS_IT_RUNS, function: "" });
  });

  it("of a script that is not known stands where it says", () => {
    const maps = new SourceMaps();
    const location = { scriptId: "8", lineNumber: 4 };
    const frame = { functionName: "load", location, url: "node:fs" } as never;
    assert.deepEqual(maps.placeOf(frame), { function: "load", file: "node:fs", line: 5, column: 1 });
    assert.equal(maps.urlOf("8"), "");
  });
});

describe("A path", () => {
  it("is that of a file URL, and anything else as it is", () => {
    assert.equal(pathOf(CODE), join(folder, "out.js"));
    assert.equal(pathOf("node:fs"), "node:fs");
    assert.equal(pathOf("file:///a%2Fb"), "file:///a%2Fb");
  });
});
