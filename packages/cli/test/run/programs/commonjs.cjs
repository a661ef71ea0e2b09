// A program in CommonJS.

const timers = require("node:timers/promises");

const part = require("./commonjs-part.cjs");

async function main() {
  await timers.setImmediate();
  const isInstrumented = main.toString().includes("__mw");
  const isMain = require.main === module && part.main() === __filename;
  console.log(JSON.stringify({ main: isMain, isInstrumented, args: process.argv.slice(2) }));
}

main().catch(console.error);
