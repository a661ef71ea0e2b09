// A list of which only the lines in sight exist, so that fifty thousand cost no more than fifty.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Lines that are drawn beyond what is in sight, for quick scrolling. */
const SPARE = 12;

/** What a list shows. */
export interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  /** In pixels, all the same. */
  readonly rowHeight: number;
  readonly row: (at: number) => ComponentChildren;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
}

/** A list that scrolls. */
export function VirtualList({ label, count, rowHeight, row, onKeyDown }: VirtualListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [[top, height], setPlace] = useState([0, 800]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = (): void => setPlace([element.scrollTop, element.clientHeight]);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + SPARE);
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  return (
    <div class="virtual" ref={box} tabIndex={0} role="list" aria-label={label} onKeyDown={onKeyDown}>
      <div class="virtual-space" style={{ height: `${count * rowHeight}px` }}>
        {rows.map((at) => (
          <div
            key={at}
            class="virtual-row"
            role="listitem"
            aria-setsize={count}
            aria-posinset={at + 1}
            style={{ top: `${at * rowHeight}px`, height: `${rowHeight}px` }}
          >
            {row(at)}
          </div>
        ))}
      </div>
    </div>
  );
}
