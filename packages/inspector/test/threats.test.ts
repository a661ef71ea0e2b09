// What the viewer stands against: I1 to I9 of the list of threats, each by its number.

import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import type { Browser } from "playwright-core";

import {
  RunHistory,
  startViewer,
  timelineHtml,
  timelineSvg,
  type ViewerOptions,
  writePrivately,
} from "../src/index.ts";
import { ask, askRaw, tokenOf, withToken } from "./support/asking.ts";
import { NO_BROWSER, openPage, startBrowser } from "./support/browser.ts";
import { FakeProgram } from "./support/fake-program.ts";
import { EventMaker, hello, linesOf, snapshot, task, warning } from "./support/messages.ts";
import { buildPage } from "./support/page.ts";

const HOSTILE = "<img src=x onerror=\"document.title='taken'\">";

let browser: Browser | undefined;
before(async () => {
  await buildPage();
  if (NO_BROWSER === false) browser = await startBrowser();
});
after(async () => {
  await browser?.close();
});

function browserOrFail(): Browser {
  assert.ok(browser !== undefined);
  return browser;
}

describe("I1: a page of another site", () => {
  it("gets no answer that it may read, and no data", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    for (const site of ["cross-site", "same-site"]) {
      const headers = { ...withToken(viewer), "sec-fetch-site": site };
      const { status, headers: answered } = await ask(viewer, "/v1/snapshot", { headers });
      assert.equal(status, 403, site);
      assert.deepEqual(
        Object.keys(answered).filter((name) => name.startsWith("access-control")),
        [],
      );
      assert.equal(answered["cross-origin-resource-policy"], "same-origin");
    }
    assert.deepEqual(program.asked, []);
  });

  it("is refused by its origin, where a browser says nothing else", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    for (const origin of [
      "http://evil.example",
      "null",
      `http://127.0.0.1:${viewer.port + 1}`,
      `https://127.0.0.1:${viewer.port}`,
    ]) {
      const { status } = await ask(viewer, "/v1/hello", { headers: { ...withToken(viewer), origin } });
      assert.equal(status, 403, origin);
    }
  });

  it("does not hand on what a program says about other sites, or its cookies", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const { status, headers } = await ask(viewer, "/v1/hello", { headers: withToken(viewer) });
    assert.equal(status, 200);
    assert.equal(headers["access-control-allow-origin"], undefined);
    assert.equal(headers["set-cookie"], undefined);
  });

  it("reads nothing in a real browser, even with the token", { skip: NO_BROWSER }, async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const evil = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>evil</title>");
    });
    await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
    const address = evil.address();
    assert.ok(address !== null && typeof address === "object");
    const { page } = await openPage(browserOrFail(), `http://127.0.0.1:${address.port}/`);
    const results = await page.evaluate(hostilePage(viewer.port, tokenOf(viewer)));
    await page.close();
    await new Promise<void>((resolve) => {
      evil.close(() => resolve());
      evil.closeAllConnections();
    });
    assert.deepEqual(results, {
      cors: "refused",
      simple: "refused",
      script: "refused",
      image: "refused",
      socket: "refused",
    });
    assert.deepEqual(program.asked, []);
  });
});

/** Everything that a page of another site can try: it runs in the browser, and is text because nothing of it exists here. */
function hostilePage(port: number, token: string): string {
  return `(async () => {
    const base = "http://127.0.0.1:${port}";
    const tried = (attempt) => attempt.then(() => "answered", () => "refused");
    const load = (name, url) => new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement(name), { onload: resolve, onerror: reject, src: url });
      document.body.append(element);
    });
    const open = () => new Promise((resolve, reject) => {
      const tunnel = new WebSocket("ws://127.0.0.1:${port}/v1/stream");
      Object.assign(tunnel, { onopen: resolve, onerror: reject });
    });
    return {
      cors: await tried(fetch(base + "/v1/snapshot", { headers: { authorization: "Bearer ${token}" } })),
      simple: await tried(fetch(base + "/v1/snapshot", { mode: "no-cors" })),
      script: await tried(load("script", base + "/assets/page.js")),
      image: await tried(load("img", base + "/v1/snapshot")),
      socket: await tried(open()),
    };
  })()`;
}

/** Everything that markup could do if it were taken for markup. */
const TAKE_OVER = `[
  () => (document.body.innerHTML = "<b>markup</b>"),
  () => document.body.setAttribute("onclick", "document.title = 'taken'"),
  () => document.write("<b>markup</b>"),
  () => document.body.append(Object.assign(document.createElement("script"), { text: "document.title = 'taken'" })),
  () => document.body.append(Object.assign(document.createElement("script"), { src: "data:,document.title='taken'" })),
].map((attempt) => {
  try {
    attempt();
    document.body.click();
    return document.title;
  } catch (error) {
    return "refused";
  }
})`;

describe("I2: a web socket", () => {
  it("is not opened: an upgrade ends the connection", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const first = await askRaw(
      viewer,
      `GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1:${viewer.port}\r\nauthorization: Bearer ${tokenOf(viewer)}\r\n` +
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    assert.equal(first, "");
    assert.deepEqual(program.asked, []);
  });

  it("has no preflight answered that would allow the token to be sent from elsewhere", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const headers = { origin: "http://evil.example", "access-control-request-headers": "authorization" };
    const { status, headers: answered } = await ask(viewer, "/v1/stream", { method: "OPTIONS", headers });
    assert.equal(status, 403);
    assert.equal(answered["access-control-allow-headers"], undefined);
    assert.equal(answered["access-control-allow-origin"], undefined);
  });
});

describe("I3: a name server that lies", () => {
  it("is answered only under its three names, exactly", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const { port } = viewer;
    for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`, `localhost:${port}`]) {
      assert.equal((await ask(viewer, "/", { headers: { host } })).status, 200, host);
    }
    const wrong = [
      `localhost6:${port}`,
      `10.0.2.555:${port}`,
      `127.0.0.1.evil.com:${port}`,
      `127.0.0.1.:${port}`,
      `localhost.:${port}`,
      `LOCALHOST:${port}`,
      `user@127.0.0.1:${port}`,
      `127.1:${port}`,
      `2130706433:${port}`,
      `0.0.0.0:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${port + 1}`,
      `127.0.0.1:${port}, evil.example`,
    ];
    for (const host of wrong) {
      const { status, text } = await ask(viewer, "/", { headers: { host } });
      assert.ok(status === 403 || status === 400, `${host}: ${status}`);
      assert.doesNotMatch(text, /<html/u);
    }
  });

  it("refuses no host, two hosts and a whole URL", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const host = `127.0.0.1:${viewer.port}`;
    const end = "connection: close\r\n\r\n";
    assert.match(await askRaw(viewer, `GET / HTTP/1.1\r\n${end}`), / 40\d /u);
    assert.match(await askRaw(viewer, `GET / HTTP/1.0\r\n${end}`), / 403 /u);
    assert.match(await askRaw(viewer, `GET / HTTP/1.1\r\nhost:\r\n${end}`), / 40\d /u);
    assert.match(await askRaw(viewer, `GET / HTTP/1.1\r\nhost: ${host}\r\nhost: evil.example\r\n${end}`), / 400 /u);
    assert.match(await askRaw(viewer, `GET http://evil.example/ HTTP/1.1\r\nhost: ${host}\r\n${end}`), / 404 /u);
    assert.match(await askRaw(viewer, `GET //evil.example/ HTTP/1.1\r\nhost: ${host}\r\n${end}`), / 404 /u);
  });
});

describe("I4: another user of the machine", () => {
  it("needs a token of 128 bits, which is another one every time", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    await using other = await startViewer({ socket: program.socket });
    assert.equal(Buffer.from(tokenOf(viewer), "base64url").length * 8, 128);
    assert.notEqual(tokenOf(viewer), tokenOf(other));
    const wrong = [
      "",
      "Bearer ",
      `Bearer ${tokenOf(other)}`,
      `Bearer ${tokenOf(viewer)}x`,
      `Basic ${tokenOf(viewer)}`,
      tokenOf(viewer),
    ];
    for (const authorization of wrong) {
      for (const path of ["/viewer", "/v1/hello", "/v1/snapshot", "/v1/stream", "/v1/trace"]) {
        assert.equal((await ask(viewer, path, { headers: { authorization } })).status, 401, `${authorization} ${path}`);
      }
    }
    assert.deepEqual(program.asked, []);
  });

  it("is told no token in a query, and cannot connect from another interface", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    assert.equal((await ask(viewer, `/v1/hello?token=${tokenOf(viewer)}`)).status, 401);
    const others = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    for (const { address } of others.filter(({ internal, family }) => !internal && family === "IPv4")) {
      const error = await new Promise<unknown>((resolve) => {
        const socket = connect(viewer.port, address, () => resolve(null));
        socket.on("error", resolve);
      });
      assert.ok(error instanceof Error, `somebody could connect to ${address}`);
    }
  });

  it("does not hand the token on to the program", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    await ask(viewer, "/v1/hello", { headers: { ...withToken(viewer), cookie: "a=b" } });
    assert.equal(program.asked.length, 1);
    assert.doesNotMatch(program.asked[0] ?? "", new RegExp(tokenOf(viewer), "u"));
    assert.doesNotMatch(program.asked[0] ?? "", /cookie|authorization/u);
  });

  it("finds no token in the address or the history of the browser", { skip: NO_BROWSER }, async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const { page } = await openPage(browserOrFail(), viewer.url);
    await page.waitForSelector(".status.live");
    assert.equal(page.url(), `http://127.0.0.1:${viewer.port}/`);
    const kept = await page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])");
    assert.equal(kept, '[{},{},""]');
    await page.reload();
    await page.getByText("open the whole address").waitFor();
    await page.close();
  });
});

describe("I5: a name that is markup", () => {
  it("is text on every part of the page", { skip: NO_BROWSER }, async () => {
    const waits = [
      {
        for: HOSTILE,
        resource: 1,
        task: null,
        foreign: false,
        sinceMs: 0,
        stack: [{ function: HOSTILE, file: HOSTILE, line: 1, column: 1 }],
      },
    ];
    const state = snapshot({
      tasks: [task(1, { name: HOSTILE, activity: "waiting", waits })],
      resources: [{ id: 1, kind: HOSTILE, description: HOSTILE, holders: [1], waiters: [1], mostWaiters: 1, waits: 1 }],
      blocks: [
        {
          id: 1,
          startedAtMs: 0,
          durationMs: 1,
          ongoing: true,
          task: { id: 1, name: HOSTILE },
          stack: waits[0]?.stack ?? [],
          repeated: 0,
          message: HOSTILE,
        },
      ],
      warnings: [
        {
          id: 1,
          kind: "no-deadline",
          severity: "error",
          message: HOSTILE,
          remedy: HOSTILE,
          tasks: [1],
          place: null,
          resource: null,
          sinceMs: 0,
          count: 1,
          overAtMs: null,
        },
      ],
    });
    await using program = await FakeProgram.start({ state });
    await using viewer = await startViewer({ socket: program.socket });
    const { page, complaints } = await openPage(browserOrFail(), viewer.url);
    await page.waitForSelector(".status.live");
    for (const part of ["tasks", "resources", "blocks", "warnings"]) {
      await page.click(`#tab-${part}`);
      await page.locator("#view").getByText("<img src=x").first().waitFor();
    }
    await page.locator(".link").first().click();
    await page.locator(".detail").getByText("<img src=x").first().waitFor();
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.title(), "meanwhile inspector");
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it("cannot turn around what stands beside it", { skip: NO_BROWSER }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "inspector-"));
    const told = warning(1, { message: "Task \u2067gnp\u2069 waits", tasks: [1] });
    const state = snapshot({ tasks: [task(1, { name: "\u202egnp.exe 👩\u200d👧" })], warnings: [told] });
    const raw = linesOf([hello(), state]);
    // As it is, and as another writer of JSON may have it.
    const escaped = raw.replaceAll(/[\u2000-\u20ff]/gu, (mark) => `\\u${mark.charCodeAt(0).toString(16)}`);
    for (const [name, text] of Object.entries({ raw, escaped })) {
      await writeFile(join(folder, name), text);
      await using viewer = await startViewer({ recording: join(folder, name) });
      const { page } = await openPage(browserOrFail(), viewer.url);
      await page.click("#tab-tasks");
      await page.getByText("\\u202egnp.exe 👩\u200d👧", { exact: true }).waitFor({ timeout: 10_000 });
      await page.click("#tab-warnings");
      await page.getByText("Task \\u2067gnp\\u2069 waits", { exact: true }).waitFor({ timeout: 10_000 });
      await page.close();
    }
    await rm(folder, { recursive: true });
  });

  it("runs no script that is not of the page, and loads nothing from elsewhere", { skip: NO_BROWSER }, async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const { page } = await openPage(browserOrFail(), viewer.url);
    await page.waitForSelector(".status.live");
    const refused = await page.evaluate(TAKE_OVER);
    assert.deepEqual(refused, ["refused", "refused", "refused", "refused", "refused"]);
    await page.close();
  });

  it("is kept from it by headers on every answer, also on refusals", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    for (const path of ["/", "/assets/page.js", "/v1/hello", "/nothing"]) {
      const { headers } = await ask(viewer, path);
      const policy = String(headers["content-security-policy"]);
      for (const part of [
        "default-src 'none'",
        "script-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ]) {
        assert.ok(policy.includes(part), `${path}: ${part}`);
      }
      assert.doesNotMatch(policy, /unsafe|\*/u);
      assert.equal(headers["x-content-type-options"], "nosniff");
    }
    const { text } = await ask(viewer, "/");
    assert.doesNotMatch(text, /<script>|https?:\/\/|<style|style=/u);
  });

  it("is text in the files that are exported", () => {
    const make = new EventMaker();
    make.created(0, 1, `${HOSTILE}]]>\u0000\u202E`);
    make.wait(1, 1, HOSTILE);
    make.ended(2, 1);
    const history = new RunHistory();
    history.apply({ type: "events", events: make.events });
    for (const text of [timelineSvg([{ title: HOSTILE, history }]), timelineHtml([{ title: HOSTILE, history }])]) {
      assert.doesNotMatch(text, /<img/u);
      assert.match(text, /&lt;img/u);
      assert.ok(!text.includes("\u0000") && !text.includes("\u202E"));
    }
  });
});

describe("I6: the viewer as a remote control", () => {
  it("only looks unless it was allowed more: every method that could change something is refused", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]) {
      for (const path of ["/v1/snapshot", "/v1/cancel", "/"]) {
        const { status } = await ask(viewer, path, { method, headers: withToken(viewer) });
        assert.equal(status, path === "/v1/cancel" ? 403 : 405, `${method} ${path}`);
      }
    }
    assert.deepEqual(program.asked, []);
  });

  it("hands on the four questions of the protocol, and nothing else", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    for (const path of ["/v1/eval", "/v1/", "/v1/hello/../cancel", "/json/list", "/v1//hello", "/v1/hello%2f"]) {
      assert.equal((await ask(viewer, path, { headers: withToken(viewer) })).status, 404, path);
    }
    assert.deepEqual(program.asked, []);
  });
});

describe("I6: a viewer that may cancel", () => {
  const path = "/v1/cancel?task=7";

  it("hands on that, and still nothing else that could change something", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket }, { allow: ["cancel"] });
    const headers = withToken(viewer);
    for (const method of ["GET", "PUT", "DELETE"]) {
      assert.equal((await ask(viewer, path, { method, headers })).status, 405, method);
    }
    assert.equal((await ask(viewer, "/v1/snapshot", { method: "POST", headers })).status, 405);
    assert.equal((await ask(viewer, "/v1/eval?task=7", { method: "POST", headers })).status, 405);
    assert.deepEqual(program.asked, []);
    assert.equal((await ask(viewer, path, { method: "POST", headers })).status, 200);
    assert.match(program.asked.join("\n"), /^POST \/v1\/cancel\?task=7 [^\n]*$/u);
  });

  it("refuses whoever has no token, and pages of other sites", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket }, { allow: ["cancel"] });
    const headers = withToken(viewer);
    assert.equal((await ask(viewer, path, { method: "POST" })).status, 401);
    for (const foreign of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
      assert.equal((await ask(viewer, path, { method: "POST", headers: { ...headers, ...foreign } })).status, 403);
    }
    assert.deepEqual(program.asked, []);
  });

  it("cannot be allowed anything else", async () => {
    const options = { allow: ["eval"] } as unknown as ViewerOptions;
    await assert.rejects(startViewer({ socket: "/nowhere" }, options), {
      code: "MW_ERR_INSPECTOR_INVALID_ARGUMENT",
      message: /'allow' has "eval"; there is only "cancel"/u,
    });
  });
});

describe("I7: a browser that does not read", () => {
  it("makes nothing pile up in the viewer", async () => {
    const lines = function* () {
      for (let id = 1; id <= 400; id += 1) yield snapshot({ tasks: [task(id, { name: "x".repeat(100_000) })] });
    };
    await using program = await FakeProgram.start({ messages: lines() });
    await using viewer = await startViewer({ socket: program.socket });
    const atFirst = process.memoryUsage().rss;
    const stuck = connect(viewer.port, "127.0.0.1");
    stuck.write(
      `GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1:${viewer.port}\r\nauthorization: Bearer ${tokenOf(viewer)}\r\n\r\n`,
    );
    stuck.pause();
    while (program.streams.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [stream] = program.streams;
    // The others are served all the same.
    assert.equal((await ask(viewer, "/v1/hello", { headers: withToken(viewer) })).status, 200);
    assert.ok((stream?.writableLength ?? 0) > 20_000_000, "the rest still lies in the program");
    assert.ok(process.memoryUsage().rss - atFirst < 400_000_000);
    stuck.destroy();
  });

  it("is told that there are too many, and the others go on", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const aborts = new AbortController();
    const headers = withToken(viewer);
    const open = Array.from({ length: 16 }, () =>
      fetch(`http://127.0.0.1:${viewer.port}/v1/stream`, { headers, signal: aborts.signal }),
    );
    assert.deepEqual([...new Set((await Promise.all(open)).map(({ status }) => status))], [200]);
    assert.equal((await ask(viewer, "/v1/hello", { headers })).status, 503);
    assert.equal((await ask(viewer, "/")).status, 200);
    aborts.abort();
    while ((await ask(viewer, "/v1/hello", { headers })).status !== 200)
      await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("I8: files that others can read", () => {
  it("are written for their owner alone, even where there was one for everybody", async () => {
    const folder = await mkdtemp(join(tmpdir(), "inspector-"));
    try {
      await writeFile(join(folder, "old.svg"), "old");
      await chmod(join(folder, "old.svg"), 0o644);
      for (const name of ["old.svg", "new.svg"]) {
        await writePrivately(join(folder, name), "<svg/>");
        assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
        assert.equal(await readFile(join(folder, name), "utf8"), "<svg/>");
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("I9: a viewer that is left on", () => {
  it("cannot be put on another interface", async () => {
    const options = { host: "0.0.0.0" } as ViewerOptions;
    await assert.rejects(startViewer({ socket: "/nowhere" }, options), {
      code: "MW_ERR_INSPECTOR_INVALID_ARGUMENT",
      message: /Cannot start the viewer with "host".* 127\.0\.0\.1 alone/u,
    });
  });

  it("is off when it is disposed, with every stream", async () => {
    await using program = await FakeProgram.start();
    const viewer = await startViewer({ socket: program.socket });
    const { port, url } = viewer;
    const { body } = await fetch(`http://127.0.0.1:${port}/v1/stream`, { headers: withToken(viewer) });
    await viewer[Symbol.asyncDispose]();
    await assert.rejects(async () => {
      for await (const _ of body ?? []);
    });
    await assert.rejects(fetch(url));
  });
});
