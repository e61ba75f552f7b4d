//! `keys completions`: a completion script for a shell. Those for Bash, Zsh and Fish ask this program at each TAB, which
//! knows the names of keys; see `complete`. The others know what stands in the help.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::terminal::Terminal;

/// Print a completion script
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  keys completions bash > ~/.local/share/bash-completion/completions/keys
  keys completions zsh > \"${fpath[1]}/_keys\"
  keys completions fish > ~/.config/fish/completions/keys.fish")]
pub(crate) struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

/// The characters that Bash parts words at are the reader's to change, and the line is cut at the cursor by Bash itself,
/// because versions of it count in bytes or in characters.
const BASH: &str = r#"# Completion of keys in Bash
_keys() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(command keys __complete bash "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -F _keys keys 2>/dev/null || complete -F _keys keys
"#;

const ZSH: &str = r#"#compdef keys
# Completion of keys in Zsh
_keys() {
    local line value
    local -a whole open
    while IFS= read -r line; do
        # What it is stands behind a colon; a colon of the value's own is marked.
        value=${${line%%$'\t'*}//:/\\:}
        [[ $line == *$'\t'* ]] && value+=":${line#*$'\t'}"
        if [[ ${line%%$'\t'*} == *[/:=] ]]; then
            open+=("$value")
        else
            whole+=("$value")
        fi
    done < <(command keys __complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    _describe -V keys whole -- open -S ''
}
if [[ $funcstack[1] == _keys ]]; then
    _keys "$@"
else
    compdef _keys keys
fi
"#;

const FISH: &str = r#"# Completion of keys in Fish
function __keys_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    command keys __complete fish $words "$current" 2>/dev/null
end
complete --command keys --no-files --keep-order --arguments '(__keys_complete)'
"#;

pub(crate) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<()> {
    let script = match args.shell {
        Shell::Bash => BASH.as_bytes().to_vec(),
        Shell::Zsh => ZSH.as_bytes().to_vec(),
        Shell::Fish => FISH.as_bytes().to_vec(),
        shell => generated(shell),
    };
    terminal.out().write_all(&script)?;
    Ok(terminal.flush()?)
}

/// Into memory first: the generator panics when its writer fails, and a closed pipe is no reason to.
fn generated(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keys", &mut script);
    script
}
