// The public API of @meanwhile/http/testing: this list is it.

export type { MockMatch, MockText, MockUrl } from "./mock-match.ts";
export { MockNetwork } from "./mock-network.ts";
export type { MockFault, MockReplier, MockReply } from "./mock-reply.ts";
export { MockRequest } from "./mock-request.ts";
export { MockRoute } from "./mock-route.ts";
