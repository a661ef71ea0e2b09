import { turns } from "./foreign.ts";

await turns(1);
if (process.argv.length > 0) throw new RangeError("the module");

export const loaded = true;
