import { createWriteStream, existsSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { startViewer } from "./src/index.ts";
import { startBrowser } from "./test/support/browser.ts";
import { largeRun } from "./test/support/large-run.ts";
import { linesOf } from "./test/support/messages.ts";
const path = "/tmp/pic/large.jsonl";
function* lines() {
  for (const m of largeRun({ tasks: 50_000, events: 1_000_000 })) yield linesOf([m]);
}
if (!existsSync(path)) await pipeline(Readable.from(lines()), createWriteStream(path));
const browser = await startBrowser();
await using viewer = await startViewer({ recording: path });
for (let round = 0; round < 3; round++) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const cdp = await page.context().newCDPSession(page);
  if (process.argv[2] === "profile" && round === 2) {
    await cdp.send("Profiler.enable");
    await cdp.send("Profiler.start");
  }
  const began = performance.now();
  await page.goto(viewer.url);
  await page.getByText("recording", { exact: true }).waitFor();
  await page.getByRole("img", { name: /^Timeline of 50000 tasks/u }).waitFor();
  console.log("open", Math.round(performance.now() - began));
  if (process.argv[2] === "profile" && round === 2) {
    const { profile } = (await cdp.send("Profiler.stop")) as any;
    const self = new Map<string, number>();
    const byId = new Map(profile.nodes.map((n: any) => [n.id, n]));
    profile.samples.forEach((id: number, i: number) => {
      const n: any = byId.get(id);
      const k = `${n.callFrame.functionName} ${n.callFrame.lineNumber}:${n.callFrame.columnNumber}`;
      self.set(k, (self.get(k) ?? 0) + profile.timeDeltas[i] / 1000);
    });
    console.log(
      [...self]
        .toSorted((a, b) => b[1] - a[1])
        .slice(0, 25)
        .map(([k, v]) => `${v.toFixed(0)} ms ${k}`)
        .join("\n"),
    );
  }
  for (const [tab, sel] of [
    ["", ".lanes"],
    ["#tab-tasks", ".virtual"],
  ]) {
    if (tab !== "") {
      await page.click(tab!);
      await page.locator(sel!).waitFor();
    }
    console.log(
      sel,
      await page.evaluate(`(async () => {
      const box = document.querySelector(${JSON.stringify(sel)});
      const began = performance.now(); let worst = 0, last = began;
      for (let frame = 0; frame < 60; frame += 1) { box.scrollTop += 1237; await new Promise((r) => requestAnimationFrame(r)); const n = performance.now(); worst = Math.max(worst, n - last); last = n; }
      return [60000 / (performance.now() - began), worst];
    })()`),
    );
  }
  await page.close();
}
await browser.close();
