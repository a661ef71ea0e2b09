// A program in CommonJS.

const timers = require("node:timers/promises");

async function main() {
  await timers.setImmediate();
  const isInstrumented = main.toString().includes("__mw");
  console.log(JSON.stringify({ main: require.main === module, isInstrumented, args: process.argv.slice(2) }));
}

main().catch(console.error);
