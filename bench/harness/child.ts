// The child process: does the work of one peer in one row, and prints what it measured as one line of JSON.

import { rows } from "../rows/index.ts";
import { peakMb } from "./measuring.ts";

const [rowName, peerName] = process.argv.slice(2);
const row = rows.find(({ name }) => name === rowName);
const peer = row?.peers.find(({ name }) => name === peerName);
if (peer?.kind !== "node") throw new Error(`Cannot measure "${peerName}" in "${rowName}": there is no such peer here`);
const measured = await peer.measure();
process.stdout.write(`${JSON.stringify({ peakMb: peakMb(), ...measured })}\n`);
