// The options of Node that workers inherit.

const WITH_TEXT = /^(?:-e|-p|-pe|--eval|--print|--input-type)$/;
const ALONE = /^(?:--eval|--print|--input-type)=/;

/**
 * The options this process was started with, without those that say what it runs; null if there are none of these, so that
 * all can be inherited as they are.
 */
export function inheritedExecArgv(argv: readonly string[] = process.execArgv): string[] | null {
  const inherited = argv.filter(
    (option, i) => !WITH_TEXT.test(option) && !ALONE.test(option) && !WITH_TEXT.test(argv[i - 1] ?? ""),
  );
  return inherited.length === argv.length ? null : inherited;
}
