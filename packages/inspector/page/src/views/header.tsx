// What program this is, how it is, and what is wrong right now.

import type { Block } from "meanwhile/diagnostics";

import { durationText } from "../../../src/timeline/time-scale.ts";
import type { Model } from "../data/model.ts";
import { saveHtml, saveSvg } from "../data/save.ts";
import { useModel } from "../data/use-model.ts";
import { TaskLink } from "./task-link.tsx";

/** Of more only these: the others are among the warnings. */
const MOST_CYCLES = 3;
const MOST_LINKS = 8;

/** The top of the page. */
export function Header() {
  const model = useModel();
  const { hello, blocked, cycles } = model.state;
  const script = hello?.program.script ?? "";
  return (
    <header>
      <div class="identity">
        <h1 title={script}>{script.split(/[\\/]/u).at(-1) || "…"}</h1>
        <span class={`status ${model.status.kind}`}>{statusText(model)}</span>
        {hello !== null && (
          <span class="muted">
            pid {hello.program.pid} · Node {hello.program.node}
          </span>
        )}
      </div>
      <Figures model={model} />
      <div class="actions">
        <button type="button" onClick={() => saveSvg(model)} title="Save the timeline as one SVG file">
          SVG
        </button>
        <button type="button" onClick={() => saveHtml(model)} title="Save the timeline as one HTML file">
          HTML
        </button>
      </div>
      <div role="status" class="now">
        {blocked !== null && model.status.kind === "live" && <BlockedNow block={blocked} />}
        {cycles.slice(0, MOST_CYCLES).map((cycle) => (
          <Cycle key={cycle.join(" ")} ids={cycle} />
        ))}
      </div>
    </header>
  );
}

function statusText({ status, history, isRecording }: Model): string {
  if (status.kind === "over") return status.text;
  if (status.kind === "live") return "live";
  return isRecording ? `reading, ${history.events.toLocaleString("en")} events` : "connecting";
}

function Figures({ model: { state, history } }: { model: Model }) {
  const { counts, loop } = state;
  if (counts === null || loop === null) return null;
  const figures: Array<[string, string]> = [
    ["alive", counts.live.toLocaleString("en")],
    ["made", counts.created.toLocaleString("en")],
    ["failed", counts.failed.toLocaleString("en")],
    ["cancelled", counts.cancelled.toLocaleString("en")],
    ["loop delay p99", durationText(loop.p99Ms)],
    ["time", durationText(history.nowMs - history.startMs)],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={name === "failed" && counts.failed > 0 ? "bad" : ""}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Tasks each of which waits for the next, and the last for the first. */
function Cycle({ ids }: { ids: readonly number[] }) {
  return (
    <p class="banner">
      <strong>{ids.length.toLocaleString("en")} tasks wait for each other</strong>, and none of them can go on:{" "}
      {ids.slice(0, MOST_LINKS).map((id, at) => (
        <span key={id}>
          {at > 0 && " → "}
          <TaskLink id={id} />
        </span>
      ))}
      {ids.length > MOST_LINKS ? " → …" : ""}
    </p>
  );
}

function BlockedNow({ block }: { block: Block }) {
  const [place] = block.stack;
  return (
    <p class="banner">
      <strong>The event loop is blocked</strong> for {durationText(block.durationMs)}
      {block.task !== null && (
        <>
          {" by "}
          <TaskLink id={block.task.id} name={block.task.name} />
        </>
      )}
      {place !== undefined && ` at ${place.file}:${place.line}`}
    </p>
  );
}
