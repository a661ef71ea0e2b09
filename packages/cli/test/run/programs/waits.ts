// Waits in turn, in a loop, and is busy; leaves something behind.

const pause = (ms: number): Promise<number> => new Promise((resolve) => void setTimeout(resolve, ms, ms));

async function load(ms: number): Promise<number> {
  return await pause(ms);
}

function count(): number {
  let total = 0;
  for (let i = 0; i < 3_000_000; i++) total += i % 7;
  return total;
}

async function main(): Promise<void> {
  const first = await load(5);
  const second = await load(6);
  for (const ms of [1, 2, 3]) await load(ms);
  const dependent = await load(first + second - 10);
  console.log(first, second, dependent, count() > 0);
}

async function forgotten(): Promise<void> {
  await new Promise(() => {});
}

// oxlint-disable-next-line no-floating-promises -- left behind on purpose
void forgotten();
await main();
