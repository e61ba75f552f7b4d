# Completion of keys in Fish
function __keys_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    command keys __complete fish $words "$current" 2>/dev/null
end
complete --command keys --no-files --keep-order --arguments '(__keys_complete)'
