// What stands above the timeline: a filter, and what changes the part in sight.

import { useEffect, useState } from "preact/hooks";

import type { Lane } from "../../../src/timeline/lane.ts";
import { Legend } from "./legend.tsx";
import type { Timeline } from "./timeline.ts";

/** What the page shows of a live program if it moves on with it. */
const FOLLOW_MS = 10_000;

/** Changes what the timeline shows. */
export function Tools({ timeline, redraw }: { timeline: Timeline; redraw: () => void }) {
  const [text, setText] = useState("");
  const [liveOnly, setLiveOnly] = useState(false);
  useEffect(() => {
    timeline.filter(filterOf(text.trim().toLowerCase(), liveOnly));
    redraw();
  }, [timeline, redraw, text, liveOnly]);
  return (
    <form class="tools" role="search" onSubmit={(event) => event.preventDefault()}>
      <input
        type="search"
        placeholder="Filter"
        aria-label="Filter by name or number"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <label>
        <input
          type="checkbox"
          checked={liveOnly}
          onChange={({ currentTarget }) => setLiveOnly(currentTarget.checked)}
        />{" "}
        alive
      </label>
      <Zoom timeline={timeline} redraw={redraw} />
      <Legend />
    </form>
  );
}

function filterOf(wanted: string, liveOnly: boolean): ((lane: Lane) => boolean) | undefined {
  if (wanted === "" && !liveOnly) return undefined;
  return ({ name, id, endedAtMs }) =>
    (!liveOnly || endedAtMs === null) && (name.toLowerCase().includes(wanted) || String(id) === wanted);
}

function Zoom({ timeline, redraw }: { timeline: Timeline; redraw: () => void }) {
  const change = (move: () => void): void => {
    move();
    redraw();
  };
  return (
    <div class="zoom">
      <button type="button" aria-label="Closer" onClick={() => change(() => timeline.zoom(0.5))}>
        +
      </button>
      <button type="button" aria-label="Farther" onClick={() => change(() => timeline.zoom(2))}>
        −
      </button>
      <button type="button" onClick={() => change(() => timeline.showAll())}>
        All
      </button>
      {!timeline.model.isRecording && (
        <button type="button" onClick={() => change(() => timeline.follow(FOLLOW_MS))}>
          Last 10 s
        </button>
      )}
    </div>
  );
}
