// Runs a range of programs in a process of its own, and prints what was done.

import { checkDeterminism, checkPrograms } from "./check.ts";

const [what, ...numbers] = process.argv.slice(2);
const [first = 1, count = 1, schedules = 1] = numbers.map(Number);

// They are heard by the check itself; printed they would be very many.
process.removeAllListeners("warning");
const done = what === "twice" ? await checkDeterminism(first, count) : await checkPrograms(first, count, schedules);
console.log(JSON.stringify(done));
