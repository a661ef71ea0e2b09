// Every time in which the event loop did not turn: how long, by whom, and where.

import type { Block } from "meanwhile/diagnostics";

import { durationText } from "../../../src/timeline/time-scale.ts";
import { useModel } from "../data/use-model.ts";
import { Stack } from "./stack.tsx";
import { TaskLink } from "./task-link.tsx";

/** How many are listed. */
const MOST = 300;

/** The blocks, the newest first. */
export function BlocksView() {
  const { history } = useModel();
  const blocks = [...history.blocks.values()].toReversed();
  if (blocks.length === 0) return <p class="empty">The event loop was never blocked.</p>;
  return (
    <ol class="cards">
      {blocks.slice(0, MOST).map((block) => (
        <Card key={block.id} block={block} startMs={history.startMs} />
      ))}
      {blocks.length > MOST && <li class="empty">and {blocks.length - MOST} older ones</li>}
    </ol>
  );
}

function Card({ block, startMs }: { block: Block; startMs: number }) {
  const { durationMs, startedAtMs, ongoing, task, message, stack, repeated, noStack } = block;
  const nobody = noStack === undefined ? "outside of tasks" : "not looked at";
  return (
    <li class="card error">
      <h2>
        <span class="badge error">{durationText(durationMs)}</span>
        {ongoing && "still blocked "}
        {task === null ? <span class="muted">{nobody}</span> : <TaskLink id={task.id} name={task.name} />}
        {repeated > 0 && <span class="muted"> and {repeated} more times at this place</span>}
        <span class="when muted">at {durationText(startedAtMs - startMs)}</span>
      </h2>
      <p class="message">{message}</p>
      <Stack places={stack} />
    </li>
  );
}
