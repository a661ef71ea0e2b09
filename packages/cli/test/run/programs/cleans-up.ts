// Plain code that waits for something foreign, with cleanup that waits too.

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1));

async function download(): Promise<void> {
  const hold = setInterval(() => {}, 60_000);
  try {
    console.log("downloads");
    await new Promise(() => {});
  } finally {
    await pause();
    clearInterval(hold);
    console.log("download cleaned up");
  }
}

try {
  await Promise.all([download(), download()]);
} finally {
  console.log("program cleaned up");
}
