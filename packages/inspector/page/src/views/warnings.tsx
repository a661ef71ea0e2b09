// What is probably a mistake: what is the case, and what to do.

import type { Warning } from "meanwhile/diagnostics";

import { durationText } from "../../../src/timeline/time-scale.ts";
import { useModel } from "../data/use-model.ts";
import { PlaceText } from "./stack.tsx";
import { TaskLinks } from "./task-link.tsx";

const ORDER = { error: 0, warning: 1, info: 2 };
const TITLES: Readonly<Partial<Record<string, string>>> = { "never-awaited": "forgotten await" };

/** The warnings: those that are the case first, and of these the worst. */
export function WarningsView() {
  const { state } = useModel();
  const warnings = state.warnings.toSorted(
    (a, b) =>
      Number(a.overAtMs !== null) - Number(b.overAtMs !== null) ||
      rank(a) - rank(b) ||
      b.sinceMs - a.sinceMs ||
      b.id - a.id,
  );
  if (warnings.length === 0) return <p class="empty">Nothing looks like a mistake.</p>;
  return (
    <ul class="cards">
      {warnings.map((warning) => (
        <Card key={warning.id} warning={warning} />
      ))}
    </ul>
  );
}

function rank({ severity }: Warning): number {
  return ORDER[severity] ?? 3;
}

function Card({ warning }: { warning: Warning }) {
  const { history } = useModel();
  const { kind, severity, message, remedy, place, tasks, count, sinceMs, overAtMs } = warning;
  const since = durationText(sinceMs - history.startMs);
  const until = overAtMs === null ? null : durationText(overAtMs - history.startMs);
  return (
    <li class={`card ${severity}${overAtMs === null ? "" : " over"}`}>
      <h2>
        <span class={`badge ${severity}`}>{severity}</span> {TITLES[kind] ?? kind.replaceAll("-", " ")}
        {count > 1 && <span class="muted"> × {count.toLocaleString("en")}</span>}
        <span class="when muted">{until === null ? `from ${since} on` : `${since} to ${until}`}</span>
      </h2>
      <p class="message">{message}</p>
      <p class="remedy">{remedy}</p>
      {(place !== null || tasks.length > 0) && (
        <p class="links">
          {place !== null && <PlaceText place={place} />}
          <TaskLinks ids={tasks} />
        </p>
      )}
    </li>
  );
}
