// The colours of a timeline, for light and for dark surroundings. Whatever a colour says, a shape or a text says too.

/** The colours of one theme, as CSS has them. */
export interface Palette {
  readonly background: string;
  readonly raised: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly running: string;
  readonly waiting: string;
  readonly mixed: string;
  readonly unknown: string;
  readonly blocked: string;
  readonly band: string;
  readonly cancelled: string;
  readonly accent: string;
  readonly selected: string;
}

export const LIGHT: Palette = {
  background: "#ffffff",
  raised: "#f6f8fa",
  text: "#1f2328",
  muted: "#59636e",
  line: "#d8dee4",
  running: "#0b5cad",
  waiting: "#c0daf6",
  mixed: "#6c9fd5",
  unknown: "#e4e7eb",
  blocked: "#cf222e",
  band: "#cf222e1f",
  cancelled: "#bc4c00",
  accent: "#0969da",
  selected: "#ddf0ff",
};

export const DARK: Palette = {
  background: "#0d1117",
  raised: "#161b22",
  text: "#e6edf3",
  muted: "#9aa4af",
  line: "#2b323b",
  running: "#58a6ff",
  waiting: "#1d3d63",
  mixed: "#3672b0",
  unknown: "#2a313b",
  blocked: "#f85149",
  band: "#f851492e",
  cancelled: "#f0883e",
  accent: "#58a6ff",
  selected: "#12304f",
};
