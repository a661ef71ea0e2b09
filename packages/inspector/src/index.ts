// @meanwhile/inspector: the public list. Re-exports only.

export { InspectorError, type InspectorErrorCode } from "./errors.ts";
export { timelineHtml } from "./export/html.ts";
export type { NamedRun } from "./export/panel.ts";
export { readRecording, type ReadRun, writePrivately } from "./export/recording.ts";
export { type PictureOptions, timelineSvg } from "./export/svg.ts";
export type { Lane } from "./timeline/lane.ts";
export { RunHistory } from "./timeline/run-history.ts";
export { type SpawnedViewer, spawnViewer } from "./viewer/spawn-viewer.ts";
export { startViewer, type Viewer, type ViewerAction, type ViewerOptions, type ViewerTarget } from "./viewer/viewer.ts";
