// Makes the pictures of the page in docs/pictures, from a program that runs: `npm run pictures`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { startViewer } from "../../src/index.ts";
import { NO_BROWSER, openPage, startBrowser } from "../support/browser.ts";
import { buildPage } from "../support/page.ts";

const FOLDER = fileURLToPath(new URL("../../../../docs/pictures/", import.meta.url));
const HOOK = new URL("../../../instrument/src/register.ts", import.meta.url).href;
const SIZE = { width: 960, height: 500 };

if (NO_BROWSER !== false) throw new Error(`Cannot make pictures of the page: ${NO_BROWSER}`);
await buildPage();
// As under `meanwhile run`: so the stacks of waits are known.
const args = ["--import", HOOK, fileURLToPath(new URL("./shop.ts", import.meta.url))];
const shop = spawn(process.execPath, [...process.execArgv, ...args], {
  env: { ...process.env, MEANWHILE_INSTRUMENT_CACHE: "off" },
  stdio: ["pipe", "pipe", "inherit"],
});
shop.stdout.setEncoding("utf8");
const [socket] = (await once(shop.stdout, "data")) as [string];
const browser = await startBrowser();
await using viewer = await startViewer({ socket: socket.trim() });
for (const colorScheme of ["light", "dark"] as const) {
  const { page } = await openPage(browser, viewer.url, { colorScheme, viewport: SIZE });
  await page.getByText("live", { exact: true }).waitFor();
  await page.getByRole("img", { name: /^Timeline of 12 tasks/u }).waitFor();
  await page.screenshot({ path: `${FOLDER}inspect-timeline-${colorScheme}.png` });
  await page.click("#tab-tasks");
  await page.getByRole("button", { name: /^checkout 6/u }).click();
  await page
    .getByText(/checkout\s+shop\.ts/u)
    .first()
    .waitFor();
  await page.screenshot({ path: `${FOLDER}inspect-tasks-${colorScheme}.png` });
  await page.close();
}
await browser.close();
shop.stdin.end();
