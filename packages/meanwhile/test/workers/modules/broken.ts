// A module that cannot be loaded.

throw new RangeError("broken at the top");

export function never(): void {}
