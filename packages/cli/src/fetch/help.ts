// `meanwhile fetch --help`.

export const FETCH_HELP: string = `Usage: meanwhile fetch [URL...] [-i FILE] [options]

Fetches all URLs at once, under limits, and writes one line of JSON for each to
stdout, in the order they finish. Progress and a summary go to stderr.

Input
  URL...                   what to fetch; - reads a list from stdin
  -i, --input FILE         a list, one URL per line; blank lines and lines that
                           start with # are skipped; - is stdin; repeatable

Limits
  -c, --concurrency N      requests at once in all                  (default 50)
      --per-host N         requests at once to one host              (default 6)
      --rate N/s           requests started per second; also N/m, N/h     (none)
      --retries N          more attempts where a failure may pass    (default 3)
      --timeout TIME       for one attempt, redirects included     (default 30s;
                           with -o only until the body begins, unless you say)
      --connect-timeout TIME   to connect                          (default 10s)
      --idle-timeout TIME  without a byte of the answer            (default 15s)
      --max-size SIZE      of a body      (default 1GiB; 10MiB with --body)
                           TIME is in seconds, or like 500ms, 2m; SIZE is in
                           bytes, or like 500kB, 10MiB; 0 is no limit

Request
  -H, --header NAME:VALUE  sent with every request; repeatable

Output
  -o, --output DIR         save bodies as files of this directory; names come
                           from the URLs; nothing is ever overwritten
      --body text|base64   put bodies into the records
      --progress HOW       auto, bar, plain, none                 (default auto)
  -q, --quiet              neither progress nor summary
  -h, --help               this text
  -V, --version            the version

Exit codes: 0 every URL ok, 1 at least one failed, 2 wrong usage, 3 input or
output cannot be used, 130 and 143 stopped by a signal, 141 nobody reads stdout.
Ctrl-C stops in order: every URL that was started has its record. A second
Ctrl-C ends at once.

Examples
  meanwhile fetch https://example.com/a https://example.com/b
  meanwhile fetch -i urls.txt -o pages --per-host 2 --rate 20/s > records.jsonl
  produce-urls | meanwhile fetch - | jq -r 'select(.ok | not) | .url'
`;
