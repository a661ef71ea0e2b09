// The functions of a stack, innermost first.

import type { Place } from "meanwhile/diagnostics";

/** A stack; nothing if it is not known. */
export function Stack({ places }: { places: readonly Place[] }) {
  if (places.length === 0) return null;
  return (
    <ol class="stack">
      {places.map((place, at) => (
        <li key={at}>
          <span>{place.function || "(anonymous)"}</span> <PlaceText place={place} />
        </li>
      ))}
    </ol>
  );
}

/** Where that is. The whole path can be copied: it is there, if not in sight. */
export function PlaceText({ place: { file, line, column } }: { place: Place }) {
  const name = file.split(/[\\/]/u).at(-1) ?? file;
  return (
    <code class="place" title={`${file}:${line}:${column}`}>
      {name}:{line}:{column}
    </code>
  );
}
