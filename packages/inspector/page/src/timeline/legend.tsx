// What the colours and marks of the timeline say.

const ENTRIES = [
  ["running", "runs"],
  ["waiting", "waits"],
  ["blocked", "blocks the loop"],
  ["cancelled", "cancelled"],
  ["failed", "failed"],
  ["unknown", "not recorded"],
] as const;

/** The legend. */
export function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      {ENTRIES.map(([kind, text]) => (
        <li key={kind}>
          <span class={`swatch ${kind}`} aria-hidden="true">
            {kind === "failed" ? "×" : ""}
          </span>
          {text}
        </li>
      ))}
    </ul>
  );
}
