#!/usr/bin/env node
await import("@meanwhile/cli");
