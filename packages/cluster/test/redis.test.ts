import { describeBehaviours } from "./behaviours.ts";
import { noRedis, sharedRedis } from "./redis-server.ts";

describeBehaviours({ name: "on Redis", skip: noRedis, url: async () => (await sharedRedis()).url });
