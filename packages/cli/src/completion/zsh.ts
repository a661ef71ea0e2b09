// The completion of zsh: to be sourced, or as the file `_meanwhile` of a directory of $fpath.

import {
  COMMANDS,
  COMMON_OPTIONS,
  type CompletedOption,
  fetchOptions,
  formsOf,
  type OptionValue,
  PLAIN_COMMANDS,
} from "./options.ts";
import { quoted } from "./quoted.ts";

/** @param shells - what `meanwhile completion` takes */
export function zshScript(shells: readonly string[]): string {
  const commands = COMMANDS.map(([name, summary]) => quoted(`${name}:${summary}`));
  return `#compdef meanwhile
_meanwhile() {
  local -a commands
  if (( CURRENT == 2 )); then
    commands=(${commands.join(" ")})
    _describe command commands
    [[ $PREFIX == -* ]] && compadd -- ${COMMON_OPTIONS.join(" ")}
    return
  fi
  case $words[2] in
    completion) ${optionsOr(["--help"], `compadd ${shells.join(" ")}`)} ;;
${PLAIN_COMMANDS.map(({ name, options, takesFiles }) => `    ${name}) ${optionsOr(options, takesFiles ? "_files" : ":")} ;;`).join("\n")}
    fetch)
      shift words
      (( CURRENT-- ))
      _arguments -s \\
${fetchOptions()
  .map((option) => `        ${specOf(option)} \\`)
  .join("\n")}
        '*:URL:_urls' ;;
  esac
}
if [[ $funcstack[1] == _meanwhile ]]; then _meanwhile "$@"; else compdef _meanwhile meanwhile; fi
`;
}

function withValue(form: string): string {
  return form.startsWith("--") ? `${form}=` : `${form}+`;
}

function optionsOr(options: readonly string[], otherwise: string): string {
  return `if [[ $PREFIX == -* ]]; then compadd -- ${options.join(" ")}; else ${otherwise}; fi`;
}

/** As `_arguments` takes it. The value may stand behind a sign, `--name=value`, or right behind a letter, `-c5`. */
function specOf(option: CompletedOption): string {
  const forms = formsOf(option);
  const signed = option.value.kind === "none" ? forms : forms.map(withValue);
  // What was said once is not offered again.
  const excluded = option.isRepeatable ? "*" : `(${forms.join(" ")})`;
  const start = quoted(forms.length === 1 && !option.isRepeatable ? "" : excluded);
  const names = signed.length === 1 ? signed.join("") : `{${signed.join(",")}}`;
  return `${start === "''" ? "" : start}${names}${quoted(`[${escaped(option.help)}]${actionOf(option.value)}`)}`;
}

function actionOf(value: OptionValue): string {
  if (value.kind === "none") return "";
  const label = escaped(value.label);
  if (value.kind === "choice") return `:${label}:(${value.choices.join(" ")})`;
  if (value.kind === "directory") return `:${label}:_files -/`;
  return `:${label}:${value.kind === "file" ? "_files" : " "}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&");
}
