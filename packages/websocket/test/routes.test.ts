import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Routes } from "../src/routes.ts";

const one = (): void => {};
const two = (): void => {};

describe("routes", () => {
  it("lead to the handler of the first pattern that matches, with what it has caught", () => {
    const routes = new Routes(null, { "/rooms/:room": one, "/rooms/*": two });
    assert.deepEqual({ ...routes.find("/rooms/blue")?.params }, { room: "blue" });
    assert.equal(routes.find("/rooms/blue")?.handler, one);
    assert.equal(routes.find("/rooms/blue/chairs")?.handler, two);
    assert.equal(routes.find("/"), null);
  });

  it("leave what no pattern matches to the handler of the server", () => {
    assert.equal(new Routes(two, { "/one": one }).find("/other")?.handler, two);
    assert.equal(new Routes(two, { "/one": one }).find("/one")?.handler, one);
  });

  it("decode what they have caught, and leave what cannot be decoded", () => {
    const routes = new Routes(null, { "/rooms/:room": one });
    assert.equal(routes.find("/rooms/d%C3%A9j%C3%A0%20vu")?.params["room"], "déjà vu");
    assert.equal(routes.find("/rooms/%FF")?.params["room"], "%FF");
  });

  it("are found however a path is written", () => {
    const routes = new Routes(null, { "/e": one, "/é": two });
    assert.equal(routes.find("/%65")?.handler, one);
    assert.equal(routes.find("/%c3%a9")?.handler, two);
    assert.equal(routes.find("/%2Fe"), null);
  });

  it("have no names but those of the pattern", () => {
    const params = new Routes(null, { "/rooms/:room": one }).find("/rooms/blue")?.params;
    assert.equal(params?.["constructor"], undefined);
  });

  it("are refused where they are no path, or no function", () => {
    for (const bad of [{ "rooms/:room": one }, { "/rooms/(": one }, { "/rooms": 7 }, { "/rooms": null }]) {
      assert.throws(() => new Routes(null, bad as never), { code: "MW_ERR_WS_INVALID_ARGUMENT" }, Object.keys(bad)[0]);
    }
  });
});
