// The page in a real browser: what it shows, and what pointer and keys do.

import assert from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, before, describe, it } from "node:test";

import type { Browser, Page } from "playwright-core";

import { startViewer } from "../src/index.ts";
import { NO_BROWSER, openPage, startBrowser } from "./support/browser.ts";
import { FakeProgram } from "./support/fake-program.ts";
import { largeRun } from "./support/large-run.ts";
import { block, linesOf, snapshot, task, warning } from "./support/messages.ts";
import { buildPage } from "./support/page.ts";
import { shopRun, shopState } from "./support/shop.ts";

/** Where rows of the timeline are, in pixels. */
const [AXIS, ROW] = [26, 22];

let browser: Browser;
let folder = "";
before(async () => {
  if (NO_BROWSER !== false) return;
  await buildPage();
  browser = await startBrowser();
  folder = await mkdtemp(join(tmpdir(), "inspector-"));
});
after(async () => {
  if (NO_BROWSER !== false) return;
  await browser.close();
  await rm(folder, { recursive: true });
});

/** The shop, live. */
async function openShop(): Promise<AsyncDisposable & { page: Page; program: FakeProgram; complaints: string[] }> {
  const program = await FakeProgram.start({ state: shopState(), messages: shopRun().slice(2, -1) });
  const viewer = await startViewer({ socket: program.socket });
  const { page, complaints } = await openPage(browser, viewer.url);
  await page.waitForSelector(".status.live");
  await page.getByRole("img", { name: /^Timeline of 16 tasks/u }).waitFor();
  const dispose = async (): Promise<void> => {
    await page.close();
    await viewer[Symbol.asyncDispose]();
    await program[Symbol.asyncDispose]();
  };
  return { page, program, complaints, [Symbol.asyncDispose]: dispose };
}

/** What colour a place of the timeline has, as `#rrggbb`. */
function colourAt(page: Page, x: number, y: number): Promise<string> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector(".lanes canvas");
    const ratio = devicePixelRatio;
    const [r, g, b] = canvas.getContext("2d").getImageData(${x} * ratio, ${y} * ratio, 1, 1).data;
    return "#" + [r, g, b].map((part) => part.toString(16).padStart(2, "0")).join("");
  })()`);
}

/** Where a moment of the shop is, if all of it is in sight. */
async function xOf(page: Page, atMs: number): Promise<number> {
  const width = (await page.locator(".lanes canvas").boundingBox())?.width ?? 0;
  return 220 + (atMs / 2_400) * (width - 220);
}

function rowCentre(row: number): number {
  return AXIS + row * ROW + ROW / 2;
}

describe("the timeline", { skip: NO_BROWSER }, () => {
  it("shows waiting light, running dark and blocked red", async () => {
    await using shop = await openShop();
    const { page, complaints } = shop;
    // Row 2 is checkout 1: it runs at 66 ms and 250 ms, and waits at 150 ms. Row 14 is the writer, which blocks at 1.1 s.
    const low = 3;
    assert.deepEqual(complaints, []);
    assert.equal(await colourAt(page, await xOf(page, 150), rowCentre(2) + low), "#c0daf6");
    assert.equal(await colourAt(page, await xOf(page, 257), rowCentre(2) + low), "#0b5cad");
    assert.match(await colourAt(page, await xOf(page, 1_100), rowCentre(14) + low), /^#c[ef]2[0-9a-f]{3}$/u);
  });

  it("chooses a task by a click, and tells what it waits for and where", async () => {
    await using shop = await openShop();
    const { page } = shop;
    await page.locator(".lanes canvas").click({ position: { x: 40, y: rowCentre(10) } });
    const detail = page.getByLabel("The selected task");
    await detail.getByRole("heading", { name: "checkout 9 #18" }).waitFor();
    await detail.getByText("reserve stock.ts:31:17").waitFor();
    await detail.getByText("deadline in 600 ms").waitFor();
    await detail.getByRole("button", { name: "writer #3" }).click();
    await detail.getByRole("heading", { name: "writer #3" }).waitFor();
    await detail.getByRole("button", { name: "Close" }).click();
    assert.equal(await detail.count(), 0);
  });

  it("looks closer at the time over which the pointer is dragged, and back at a double click", async () => {
    await using shop = await openShop();
    const { page } = shop;
    const box = await page.locator(".lanes canvas").boundingBox();
    assert.ok(box !== null);
    const y = box.y + rowCentre(2) + 3;
    await page.mouse.move(box.x + (await xOf(page, 130)), y);
    await page.mouse.down();
    await page.mouse.move(box.x + (await xOf(page, 200)), y, { steps: 3 });
    await page.mouse.up();
    // All of that time it waits, so that all of the line is light now.
    await settled(page);
    for (const x of [230, 600, 1_200]) assert.equal(await colourAt(page, x, rowCentre(2) + 6), "#c0daf6");
    await page.locator(".lanes canvas").dblclick({ position: { x: 600, y: rowCentre(1) } });
    await settled(page);
    assert.equal(await colourAt(page, await xOf(page, 2_100), rowCentre(2) + 3), "#ffffff");
  });

  it("moves on with the time, with the last ten seconds in sight", async () => {
    await using shop = await openShop();
    const { page, program } = shop;
    await page.getByRole("button", { name: "Last 10 s" }).click();
    await settled(page);
    const width = (await page.locator(".lanes canvas").boundingBox())?.width ?? 0;
    const middle = 220 + (width - 220) / 2;
    // The shop has been there for 2.4 s only.
    assert.equal(await colourAt(page, middle + 9, rowCentre(1) + 6), "#ffffff");
    program.send({ type: "bye", atMs: 9_000 });
    while ((await colourAt(page, middle + 9, rowCentre(1) + 6)) !== "#c0daf6") await settled(page);
  });

  it("is used with the keys alone, and says aloud what is chosen", async () => {
    await using shop = await openShop();
    const { page } = shop;
    await page.locator(".lanes canvas").focus();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("status").filter({ hasText: "main, waits for the tasks of a group" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("status").filter({ hasText: "server, waits for accept" }).waitFor();
    await page.keyboard.press(" ");
    await page.getByRole("img", { name: /^Timeline of 4 tasks/u }).waitFor();
    await page.keyboard.press("End");
    await page.getByRole("heading", { name: "<img src=x onerror=alert(1)> #30" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByLabel("The selected task").waitFor({ state: "detached" });
  });

  it("shows the tasks that a filter names, in their place", async () => {
    await using shop = await openShop();
    const { page } = shop;
    await page.getByLabel("Filter by name or number").fill("checkout 1");
    // checkout 1, 10, 11 and 12, below server, below main.
    await page.getByRole("img", { name: /^Timeline of 6 tasks/u }).waitFor();
  });

  it("is saved as an SVG and as an HTML file", async () => {
    await using shop = await openShop();
    const { page, complaints } = shop;
    for (const [name, start] of [
      ["SVG", "<svg "],
      ["HTML", "<!doctype html>"],
    ] as const) {
      const saving = page.waitForEvent("download");
      await page.getByRole("button", { name, exact: true }).click();
      const download = await saving;
      assert.equal(download.suggestedFilename(), `timeline-server.ts.${name.toLowerCase()}`);
      const text = await readFile(await download.path(), "utf8");
      assert.ok(text.startsWith(start));
      if (name === "HTML") assert.ok((await widthAt(500, text)) <= 500);
    }
    assert.deepEqual(complaints, []);
  });
});

/** How wide a document is in a window of this width. */
async function widthAt(width: number, html: string): Promise<number> {
  const page = await browser.newPage({ viewport: { width, height: 700 } });
  await page.setContent(html);
  const told = await page.evaluate<number>("document.documentElement.scrollWidth");
  await page.close();
  return told;
}

/** Two frames later everything is drawn. */
async function settled(page: Page): Promise<void> {
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
}

describe("the other parts", { skip: NO_BROWSER }, () => {
  it("are reached with the arrow keys, and have what is wrong in their names", async () => {
    await using shop = await openShop();
    const { page } = shop;
    await page.getByRole("tab", { name: "Timeline" }).focus();
    for (const name of ["Tasks 8", "Resources 4", "Blocked loop 1", "Warnings 3"]) {
      await page.keyboard.press("ArrowRight");
      const tab = page.getByRole("tab", { selected: true });
      assert.equal((await tab.innerText()).replaceAll(/\s+/gu, " "), name);
    }
  });

  it("show tasks as a tree that folds, filtered and grouped", async () => {
    await using shop = await openShop();
    const { page } = shop;
    await page.click("#tab-tasks");
    const items = page.getByRole("listitem");
    await page.getByText("waits for Lock.acquire").first().waitFor();
    assert.equal(await items.count(), 8);
    await page.getByRole("button", { name: "What belongs to it" }).nth(1).click();
    await waitForCount(page, 4);
    await page.getByRole("button", { name: "What belongs to it" }).nth(1).click();
    await page.getByRole("searchbox").fill("stock.example");
    await waitForCount(page, 2);
    await page.getByRole("searchbox").fill("");
    await page.getByLabel("Show as").selectOption("groups");
    await page.getByRole("heading", { name: "4 × checkout *" }).waitFor();
    await page.getByText("reserve stock.ts:31:17").first().waitFor();
  });

  it("show who holds a resource and who waits for it", async () => {
    await using shop = await openShop();
    const { page } = shop;
    await page.click("#tab-resources");
    const row = page.getByRole("row", { name: /Lock\.acquire/u });
    await row.getByRole("button", { name: "writer #3" }).waitFor();
    assert.match(await row.innerText(), /4[\s\S]*checkout 9 #18[\s\S]*and 1 more/u);
    await page.getByRole("heading", { name: "Hosts and pools" }).waitFor();
  });

  it("ask who holds a resource, which the stream does not tell", async () => {
    const state = shopState();
    const resources = state.resources.map((resource) => ({ ...resource, description: resource.kind, holders: [] }));
    await using program = await FakeProgram.start({ state, streamed: { ...state, resources } });
    await using viewer = await startViewer({ socket: program.socket });
    const { page } = await openPage(browser, viewer.url);
    await page.getByText("live", { exact: true }).waitFor();
    assert.ok(!program.asked.some((line) => line.startsWith("GET /v1/snapshot")));
    await page.click("#tab-resources");
    const row = page.getByRole("row", { name: /Lock\.acquire \(held by/u });
    await row.getByRole("button", { name: "writer #3" }).waitFor();
    await page.close();
  });

  it("show warnings with what to do, and blocks with their stacks", async () => {
    await using shop = await openShop();
    const { page } = shop;
    await page.click("#tab-warnings");
    await page.getByRole("heading", { name: /forgotten await × 3/u }).waitFor();
    await page.getByText("Await it, or give it to createTask").waitFor();
    await page.click("#tab-blocks");
    await page.getByText("parse catalog.ts:41:9").waitFor();
  });
});

describe("a live page", { skip: NO_BROWSER }, () => {
  it("says at once that the event loop is blocked, and that it is over", async () => {
    await using shop = await openShop();
    const { page, program } = shop;
    const ongoing = block(2, { startedAtMs: 2_400, durationMs: 300, ongoing: true, task: { id: 3, name: "writer" } });
    program.send({ type: "block", block: ongoing });
    const banner = page.getByText("The event loop is blocked");
    await banner.waitFor();
    program.send({ type: "block", block: { ...ongoing, ongoing: false } });
    await banner.waitFor({ state: "detached" });
    program.send({ type: "warning", warning: warning(9, { message: "a new one" }) });
    await page.click("#tab-warnings");
    await page.getByText("a new one").waitFor();
  });

  it("says at once which tasks wait for each other, while they do", async () => {
    const state = { ...shopState(), cycles: [[18, 19]] };
    await using program = await FakeProgram.start({ state });
    await using viewer = await startViewer({ socket: program.socket });
    const { page } = await openPage(browser, viewer.url);
    const banner = page.getByRole("status").filter({ hasText: "2 tasks wait for each other" });
    await banner.getByRole("button", { name: "checkout 10 #19" }).click();
    await page.getByRole("heading", { name: "checkout 10 #19" }).waitFor();
    const { atMs, loop, counts } = state;
    const nothing = { tasks: [], ended: [], gone: [], blocked: null, resources: null };
    program.send({ type: "delta", seq: 1_001, cut: "exact", atMs, loop, counts, ...nothing, cycles: [] });
    await banner.waitFor({ state: "detached" });
    await page.close();
  });

  it("goes on from a gap with the state that follows", async () => {
    await using shop = await openShop();
    const { page, program } = shop;
    program.send({ type: "gap", from: 1_001, to: 5_000 });
    program.send(
      snapshot({ seq: 5_000, atMs: 4_000, tasks: [task(1, { name: "main" }), task(99, { name: "newcomer" })] }),
    );
    await page.click("#tab-tasks");
    await page.getByRole("button", { name: "newcomer #99" }).waitFor();
    await waitForCount(page, 2);
  });

  it("follows the selected task to the worker that it waits for, and says what it is told as text", async () => {
    const worker = { id: "far-7-x", host: "far", pid: 7, thread: 2 };
    const waits = [{ for: "sleepForever", stack: [{ function: "inner", file: "/srv/far.ts", line: 3, column: 4 }] }];
    const tasks = [
      { id: 1, name: "<b>crunch</b>", parent: null, activity: "waiting", waits: [{ for: "its tasks", stack: [] }] },
      { id: 2, name: "deep", parent: 1, activity: "waiting", waits },
    ];
    const job = { function: "crunch", id: "job-1", attempt: 2, state: "running", worker, runningMs: 1_500, tasks };
    const queued = { function: "queued\u202e", state: "queued", note: "no worker has taken it" };
    const remote = [{ ...job, leftOut: 7 }, queued, 4];
    const far = { for: '"crunch" in cluster math', resource: null, task: null, foreign: true, sinceMs: 0, stack: [] };
    const waiting = { activity: "waiting", waits: [far] } as const;
    const state = snapshot({ tasks: [task(1, { name: "main", ...waiting }), task(2, { name: "caller", ...waiting })] });
    await using program = await FakeProgram.start({ state, remote });
    await using viewer = await startViewer({ socket: program.socket });
    const { page, complaints } = await openPage(browser, viewer.url);
    await page.click("#tab-tasks");
    await page.getByRole("button", { name: "caller #2" }).click();
    const shown = page.getByRole("region", { name: "Runs elsewhere" });
    await shown.getByText("thread 2 of process 7 on far").waitFor();
    const text = await shown.innerText();
    assert.match(text, /crunch runs for 1\.5 s[\s\S]*job-1[\s\S]*attempt\s+2/u);
    assert.match(
      text,
      /<b>crunch<\/b> #1\s+waits for its tasks\s+deep #2\s+waits for sleepForever\s+inner far\.ts:3:4/u,
    );
    assert.match(text, /and 7 more tasks\s+queued\\u202e waits for a worker[\s\S]*no worker has taken it/u);
    await page.getByRole("button", { name: "main #1" }).first().click();
    await page.getByRole("heading", { name: "main #1" }).waitFor();
    assert.ok(program.asked.some((line) => line.startsWith("GET /v1/remote?task=1 ")));
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it("cancels a task where both the program and the viewer allow it, after asking once more", async () => {
    for (const [inProgram, inViewer] of [
      [["cancel"], []],
      [[], ["cancel"]],
      [["cancel"], ["cancel"]],
    ] as const) {
      const mayCancel = inProgram.length + inViewer.length === 2;
      await using program = await FakeProgram.start({
        state: shopState(),
        allowed: inProgram,
        refusal: "It is blocked",
      });
      await using viewer = await startViewer({ socket: program.socket }, { allow: inViewer });
      const { page } = await openPage(browser, viewer.url);
      await page.click("#tab-tasks");
      await page.getByRole("button", { name: "writer #3" }).click();
      await page.getByRole("heading", { name: "writer #3" }).waitFor();
      const button = page.getByRole("button", { name: "Cancel this task" });
      assert.equal(await button.count(), mayCancel ? 1 : 0);
      if (mayCancel) {
        const answers = [false, true];
        page.on("dialog", (dialog) => void (answers.shift() === true ? dialog.accept() : dialog.dismiss()));
        await button.click();
        assert.ok(!program.asked.some((line) => line.startsWith("POST")));
        await button.click();
        await page.getByRole("alert").filter({ hasText: "It is blocked" }).waitFor();
        assert.equal(program.asked.filter((line) => line.startsWith("POST /v1/cancel?task=3 ")).length, 1);
      }
      await page.close();
    }
  });

  it("keeps what it knows when the program has ended", async () => {
    await using program = await FakeProgram.start({
      state: shopState(),
      messages: [{ type: "bye", atMs: 2_500 }],
      ends: true,
    });
    await using viewer = await startViewer({ socket: program.socket });
    const { page } = await openPage(browser, viewer.url);
    await page.getByText("ended", { exact: true }).waitFor();
    await page.click("#tab-tasks");
    await page.getByRole("button", { name: "writer #3" }).waitFor();
    await page.close();
  });

  it("says that the program has ended when it has had no time to say so, and that the viewer is lost", async () => {
    for (const [isProgram, text] of [
      [true, "ended"],
      [false, "connection lost"],
    ] as const) {
      await using ends = new AsyncDisposableStack();
      const program = await FakeProgram.start({ state: shopState() });
      const viewer = await startViewer({ socket: program.socket });
      const { page } = await openPage(browser, viewer.url);
      await page.getByText("live", { exact: true }).waitFor();
      if (isProgram) ends.use(viewer);
      else ends.use(program);
      await (isProgram ? program : viewer)[Symbol.asyncDispose]();
      await page.getByText(text, { exact: true }).waitFor();
      await page.close();
    }
  });

  it("without the token says how to get in", async () => {
    await using program = await FakeProgram.start();
    await using viewer = await startViewer({ socket: program.socket });
    const { page } = await openPage(browser, viewer.url.replace(/#.*/u, "#wrong"));
    await page.getByRole("alert").filter({ hasText: "Cannot answer without the token" }).waitFor();
    await page.close();
  });
});

describe("a large recording", { skip: NO_BROWSER }, () => {
  it("opens and scrolls", async () => {
    // As large as it may get: 50 000 tasks and a million events are measured outside of the tests.
    const path = join(folder, "large.jsonl");
    await pipeline(Readable.from(lines({ tasks: 50_000, events: 200_000 })), createWriteStream(path));
    await using viewer = await startViewer({ recording: path });
    const { page, complaints } = await openPage(browser, viewer.url);
    await page.getByText("recording", { exact: true }).waitFor();
    await page.getByRole("img", { name: /^Timeline of 50000 tasks/u }).waitFor();
    const frames = await framesPerSecond(page, ".lanes");
    await page.click("#tab-tasks");
    await page.locator(".virtual").waitFor();
    const tree = await framesPerSecond(page, ".virtual");
    // Ten times less than they should be: the machine may have other things to do.
    assert.ok(frames > 3 && tree > 3, `${frames} and ${tree} frames per second`);
    assert.ok((await page.getByRole("listitem").count()) < 100);
    assert.deepEqual(complaints, []);
    await page.close();
  });
});

function* lines(size: Parameters<typeof largeRun>[0]): Generator<string> {
  for (const message of largeRun(size)) yield linesOf([message]);
}

function framesPerSecond(page: Page, selector: string): Promise<number> {
  return page.evaluate(`(async () => {
    const box = document.querySelector(${JSON.stringify(selector)});
    const began = performance.now();
    for (let frame = 0; frame < 30; frame += 1) {
      box.scrollTop += 1_237;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    return 30_000 / (performance.now() - began);
  })()`);
}

async function waitForCount(page: Page, count: number): Promise<void> {
  // Not with a function that the page would have to take from a string: its policy refuses that.
  while ((await page.getByRole("listitem").count()) !== count) await settled(page);
}
