// Fails when something a user can import has no doc comment, or waits and does not say what cancellation does to it.

import { cancellationLine, documented } from "./documented.ts";
import { report } from "./source.ts";

const all = documented();
for (const { name, place, doc, waits } of all) {
  if (doc === "") report(`${place} ${name} has no doc comment`);
  else if (waits && cancellationLine(doc) === null) {
    report(
      `${place} ${name} waits: its doc comment needs a line "Cancellation: …" that begins with "safe.", "loses" what or "reaches" whom`,
    );
  }
}
if (all.length === 0) report("No exported names here: run this in the root of the repository");
