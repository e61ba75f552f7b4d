# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_keys_global_optspecs
    string join \n p/profile= provider= api-url= format= json jq= y/yes no-input q/quiet v/verbose color= timeout= max-wait= ca-cert= h/help V/version
end

function __fish_keys_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_keys_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_keys_using_subcommand
    set -l cmd (__fish_keys_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c keys -n "__fish_keys_needs_command" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_needs_command" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_needs_command" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_needs_command" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_needs_command" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_needs_command" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_needs_command" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_needs_command" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_needs_command" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_needs_command" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_needs_command" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_needs_command" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_needs_command" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_needs_command" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_needs_command" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_needs_command" -s V -l version -d 'Print version'
complete -c keys -n "__fish_keys_needs_command" -f -a "login" -d 'Log in to a service: verify a key and keep it'
complete -c keys -n "__fish_keys_needs_command" -f -a "logout" -d 'Log out: forget the stored key of a profile'
complete -c keys -n "__fish_keys_needs_command" -f -a "whoami" -d 'Show as whom commands act, and where the credential comes from'
complete -c keys -n "__fish_keys_needs_command" -f -a "profile" -d 'List profiles, choose the default one, show or remove one'
complete -c keys -n "__fish_keys_needs_command" -f -a "create" -d 'Create a key'
complete -c keys -n "__fish_keys_needs_command" -f -a "list" -d 'List keys'
complete -c keys -n "__fish_keys_needs_command" -f -a "ls" -d 'List keys'
complete -c keys -n "__fish_keys_needs_command" -f -a "show" -d 'Show a key'
complete -c keys -n "__fish_keys_needs_command" -f -a "get" -d 'Show a key'
complete -c keys -n "__fish_keys_needs_command" -f -a "edit" -d 'Change a key'
complete -c keys -n "__fish_keys_needs_command" -f -a "rotate" -d 'Rotate a key: make its successor, deliver it, and retire the old one'
complete -c keys -n "__fish_keys_needs_command" -f -a "rotation" -d 'Go on with rotations that are not over, or take them back'
complete -c keys -n "__fish_keys_needs_command" -f -a "revoke" -d 'Revoke keys'
complete -c keys -n "__fish_keys_needs_command" -f -a "reactivate" -d 'Reactivate revoked keys'
complete -c keys -n "__fish_keys_needs_command" -f -a "delete" -d 'Delete keys for good'
complete -c keys -n "__fish_keys_needs_command" -f -a "rm" -d 'Delete keys for good'
complete -c keys -n "__fish_keys_needs_command" -f -a "lookup" -d 'Find out which key a plaintext is'
complete -c keys -n "__fish_keys_needs_command" -f -a "usage" -d 'Show how much is left of the limits, until when, and what eats it'
complete -c keys -n "__fish_keys_needs_command" -f -a "credits" -d 'Show the credits that are left, what expires when, and how long they last'
complete -c keys -n "__fish_keys_needs_command" -f -a "balance" -d 'Show the credits that are left, what expires when, and how long they last'
complete -c keys -n "__fish_keys_needs_command" -f -a "audit" -d 'Show who changed what, newest first'
complete -c keys -n "__fish_keys_needs_command" -f -a "check" -d 'Check the keys against a policy: too old, unused, too wide, about to end'
complete -c keys -n "__fish_keys_needs_command" -f -a "perms" -d 'List the permissions there are, or the least ones that calls need'
complete -c keys -n "__fish_keys_needs_command" -f -a "serve" -d 'Serve the management API'
complete -c keys -n "__fish_keys_needs_command" -f -a "completions" -d 'Print a completion script'
complete -c keys -n "__fish_keys_needs_command" -f -a "man" -d 'Print the manual page, or write a page for each command into a directory'
complete -c keys -n "__fish_keys_needs_command" -f -a "help" -d 'Print help for a command or a topic: exit-codes, output, environment'
complete -c keys -n "__fish_keys_using_subcommand login" -l key-file -d 'Read the key from a file that nobody else may read' -r -F
complete -c keys -n "__fish_keys_using_subcommand login" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand login" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand login" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand login" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand login" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand login" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand login" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand login" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand login" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand login" -l key-stdin -d 'Read the key from standard input'
complete -c keys -n "__fish_keys_using_subcommand login" -l insecure-storage -d 'Keep the key in a private file, not encrypted, instead of the keyring'
complete -c keys -n "__fish_keys_using_subcommand login" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand login" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand login" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand login" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand login" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand logout" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand logout" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand logout" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand logout" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand logout" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand logout" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand logout" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand logout" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand logout" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand logout" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand logout" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand logout" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand logout" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand logout" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand whoami" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand whoami" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand whoami" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand whoami" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand whoami" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand whoami" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand whoami" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand whoami" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand whoami" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand whoami" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand whoami" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand whoami" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand whoami" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand whoami" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand whoami" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -f -a "list" -d 'List the profiles'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -f -a "ls" -d 'List the profiles'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -f -a "use" -d 'Make a profile the default one'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -f -a "show" -d 'Show a profile'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -f -a "get" -d 'Show a profile'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -f -a "remove" -d 'Remove a profile and its stored key'
complete -c keys -n "__fish_keys_using_subcommand profile; and not __fish_seen_subcommand_from list ls use show get remove rm" -f -a "rm" -d 'Remove a profile and its stored key'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand profile; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand create" -l name -d 'Name of the key; where the provider wants it so, unique among active keys' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l names -d 'Make a key for each line of this file, which is its name; in --to, {name} stands for it' -r -F
complete -c keys -n "__fish_keys_using_subcommand create" -l jobs -d 'How many keys are made at the same time' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l perm -d 'Permission the key gets; repeat it or separate several by commas (see `keys perms`)' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l description -d 'What the key is for' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l tier -d 'Rate-limit tier' -r -f -a "standard\t'The plan\'s own limits'
high\t'Twice the plan\'s calls per minute'
unmetered\t'No limits; on enterprise plans only'"
complete -c keys -n "__fish_keys_using_subcommand create" -l expires -d 'When the key ends: 30d, 12h, 4w, a date, an RFC 3339 instant, or never' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l if-exists -d 'What to do when an active key has this name already' -r -f -a "fail\t'Refuse, with exit code 6'
skip\t'Make nothing and succeed'"
complete -c keys -n "__fish_keys_using_subcommand create" -l to -d 'Where the plaintext goes: stdout, clipboard, file:PATH, dotenv:PATH#VAR, json:PATH, keyring:SERVICE/ACCOUNT, cmd:COMMAND, github-env:NAME, github-output:NAME or fd:N; may be repeated' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l idempotency-key -d 'Send this Idempotency-Key: the same request again gets the same key for 24 hours' -r
complete -c keys -n "__fish_keys_using_subcommand create" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand create" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand create" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand create" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand create" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand create" -l temp -d 'Make a key for trying things out, which ends by itself after an hour'
complete -c keys -n "__fish_keys_using_subcommand create" -l dry-run -d 'Show the request that would be sent, and send nothing'
complete -c keys -n "__fish_keys_using_subcommand create" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand create" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand create" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand create" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand create" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand list" -l status -d 'Show keys in this state only [default: active]' -r -f -a "active\t'Keys that work'
revoked\t'Keys that were switched off'
expired\t'Keys past their end'
all\t'Every key'"
complete -c keys -n "__fish_keys_using_subcommand list" -l search -d 'Only keys with this text in their name or description, in any case' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l name -d 'Only keys whose name fits this pattern, such as \'ci-*\'' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l perm -d 'Only keys that hold a permission which fits this pattern, such as \'read:*\'' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l unused -d 'Only keys not used for this long; one never used counts from its creation' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l older-than -d 'Only keys created longer ago than this' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l expiring -d 'Only keys that end within this time' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l sort -d 'Order: name, created, last-used or expires; with a minus in front the other way round' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l limit -d 'Show at most this many keys' -r
complete -c keys -n "__fish_keys_using_subcommand list" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand list" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand list" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand list" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand list" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand list" -l no-expiry -d 'Only keys that never end'
complete -c keys -n "__fish_keys_using_subcommand list" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand list" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand list" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand list" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand list" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand ls" -l status -d 'Show keys in this state only [default: active]' -r -f -a "active\t'Keys that work'
revoked\t'Keys that were switched off'
expired\t'Keys past their end'
all\t'Every key'"
complete -c keys -n "__fish_keys_using_subcommand ls" -l search -d 'Only keys with this text in their name or description, in any case' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l name -d 'Only keys whose name fits this pattern, such as \'ci-*\'' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l perm -d 'Only keys that hold a permission which fits this pattern, such as \'read:*\'' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l unused -d 'Only keys not used for this long; one never used counts from its creation' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l older-than -d 'Only keys created longer ago than this' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l expiring -d 'Only keys that end within this time' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l sort -d 'Order: name, created, last-used or expires; with a minus in front the other way round' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l limit -d 'Show at most this many keys' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand ls" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand ls" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand ls" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand ls" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand ls" -l no-expiry -d 'Only keys that never end'
complete -c keys -n "__fish_keys_using_subcommand ls" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand ls" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand ls" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand ls" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand ls" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand show" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand show" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand show" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand show" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand show" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand show" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand show" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand show" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand show" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand show" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand show" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand show" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand show" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand show" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand show" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand get" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand get" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand get" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand get" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand get" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand get" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand get" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand get" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand get" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand get" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand get" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand get" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand get" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand get" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand get" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand edit" -l name -d 'New name' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l description -d 'New description' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l perm -d 'Replace all permissions by these' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l add-perm -d 'Give the key this permission besides those it has' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l remove-perm -d 'Take this permission from the key' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l tier -d 'New rate-limit tier' -r -f -a "standard\t'The plan\'s own limits'
high\t'Twice the plan\'s calls per minute'
unmetered\t'No limits; on enterprise plans only'"
complete -c keys -n "__fish_keys_using_subcommand edit" -l expires -d 'New end: 30d, 12h, 4w, a date, an RFC 3339 instant, or never' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l confirm -d 'The key\'s name, instead of typing it when asked' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand edit" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand edit" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand edit" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand edit" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand edit" -l no-description -d 'Remove the description'
complete -c keys -n "__fish_keys_using_subcommand edit" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand edit" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand edit" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand edit" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand edit" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand edit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand rotate" -l to -d 'Where the plaintext goes: stdout, clipboard, file:PATH, dotenv:PATH#VAR, json:PATH, keyring:SERVICE/ACCOUNT, cmd:COMMAND, github-env:NAME, github-output:NAME or fd:N; may be repeated' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l grace -d 'How long the old key goes on working beside the new one' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l check -d 'A command that must succeed before the old key is retired; it gets the new key on its standard input' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l verify-timeout -d 'How long the service may refuse the new key' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l name -d 'With KEY, the name of the new key; without, all active keys whose name fits this pattern' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l older-than -d 'All active keys created longer ago than this' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l expiring -d 'All active keys that end within this time' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l max -d 'The most keys this may rotate; with --yes it is consent to more than one' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l jobs -d 'How many keys are rotated at the same time' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rotate" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rotate" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rotate" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotate" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rotate" -l compromised -d 'Somebody else knows the old key: revoke it at once, and say so in the audit log'
complete -c keys -n "__fish_keys_using_subcommand rotate" -l no-escrow -d 'Keep no copy of the new key until it is delivered; the service can be asked for it for a day'
complete -c keys -n "__fish_keys_using_subcommand rotate" -l dry-run -d 'Show what would be done, and do nothing'
complete -c keys -n "__fish_keys_using_subcommand rotate" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rotate" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rotate" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rotate" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rotate" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -f -a "list" -d 'List the rotations that are not over'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -f -a "show" -d 'Show how far a rotation has come'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -f -a "resume" -d 'Go on with a rotation, or with all that were interrupted'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -f -a "abort" -d 'Revoke the new key and keep the old one, as long as the new one is not live'
complete -c keys -n "__fish_keys_using_subcommand rotation; and not __fish_seen_subcommand_from list show resume abort finish" -f -a "finish" -d 'Retire the old key, where the service does not end it by itself'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l to -d 'Another place instead of those that do not have the key yet; may be repeated' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from abort" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l when-idle -d 'How long the old key must not have been used' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l due -d 'All whose grace is over, without asking; good for a cron line'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l force -d 'Retire it although somebody still uses it'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rotation; and __fish_seen_subcommand_from finish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand revoke" -l name -d 'Instead of naming keys: all active keys whose name fits this pattern, such as \'ci-*\'' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l older-than -d 'All active keys created longer ago than this' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l expiring -d 'All active keys that end within this time' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l unused -d 'All active keys not used for this long; one never used counts from its creation' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l reason -d 'Why, for the audit log' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l confirm -d 'The key\'s name, instead of typing it when asked; repeat it for several keys' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l max -d 'The most keys this may touch; with --yes it is consent to more than one' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand revoke" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand revoke" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand revoke" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand revoke" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand revoke" -l dry-run -d 'Show which keys this would touch, and touch none'
complete -c keys -n "__fish_keys_using_subcommand revoke" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand revoke" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand revoke" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand revoke" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand revoke" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand reactivate" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand reactivate" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand reactivate" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand reactivate" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand reactivate" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand reactivate" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand delete" -l name -d 'Instead of naming keys: all active keys whose name fits this pattern, such as \'ci-*\'' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l older-than -d 'All active keys created longer ago than this' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l expiring -d 'All active keys that end within this time' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l unused -d 'All active keys not used for this long; one never used counts from its creation' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l confirm -d 'The key\'s name, instead of typing it when asked; repeat it for several keys' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l max -d 'The most keys this may touch; with --yes it is consent to more than one' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand delete" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand delete" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand delete" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand delete" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand delete" -l dry-run -d 'Show which keys this would touch, and touch none'
complete -c keys -n "__fish_keys_using_subcommand delete" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand delete" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand delete" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand delete" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand delete" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand rm" -l name -d 'Instead of naming keys: all active keys whose name fits this pattern, such as \'ci-*\'' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l older-than -d 'All active keys created longer ago than this' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l expiring -d 'All active keys that end within this time' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l unused -d 'All active keys not used for this long; one never used counts from its creation' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l confirm -d 'The key\'s name, instead of typing it when asked; repeat it for several keys' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l max -d 'The most keys this may touch; with --yes it is consent to more than one' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand rm" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand rm" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand rm" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand rm" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand rm" -l dry-run -d 'Show which keys this would touch, and touch none'
complete -c keys -n "__fish_keys_using_subcommand rm" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand rm" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand rm" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand rm" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand rm" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand lookup" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand lookup" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand lookup" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand lookup" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand lookup" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand lookup" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand lookup" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand lookup" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand lookup" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand lookup" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand lookup" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand lookup" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand lookup" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand lookup" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand lookup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand usage" -l days -d 'How many days to look back, today included' -r
complete -c keys -n "__fish_keys_using_subcommand usage" -l fail-below -d 'End with 12 where fewer calls are left today: a number, or a share such as 10%' -r
complete -c keys -n "__fish_keys_using_subcommand usage" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand usage" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand usage" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand usage" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand usage" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand usage" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand usage" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand usage" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand usage" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand usage" -l watch -d 'Look again every two seconds, until interrupted'
complete -c keys -n "__fish_keys_using_subcommand usage" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand usage" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand usage" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand usage" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand usage" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand usage" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand credits" -l fail-below -d 'End with 12 where fewer credits are left: a number, or a share of what was granted such as 10%' -r
complete -c keys -n "__fish_keys_using_subcommand credits" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand credits" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand credits" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand credits" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand credits" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand credits" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand credits" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand credits" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand credits" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand credits" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand credits" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand credits" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand credits" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand credits" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand credits" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand balance" -l fail-below -d 'End with 12 where fewer credits are left: a number, or a share of what was granted such as 10%' -r
complete -c keys -n "__fish_keys_using_subcommand balance" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand balance" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand balance" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand balance" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand balance" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand balance" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand balance" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand balance" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand balance" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand balance" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand balance" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand balance" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand balance" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand balance" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand balance" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand audit" -l since -d 'Only changes since then: a length of time such as 24h, a date, or an instant' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l until -d 'Only changes until then' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l action -d 'Only this kind of change, such as create, update, revoke or credits.grant' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l key -d 'Only changes of this key; that of a deleted one by its id' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l limit -d 'Show at most this many changes' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand audit" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand audit" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand audit" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand audit" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand audit" -l follow -d 'Go on showing changes as they are made, oldest first, until interrupted'
complete -c keys -n "__fish_keys_using_subcommand audit" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand audit" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand audit" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand audit" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand audit" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand audit" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand check" -l max-age -d 'How old a key may become [default: 90d]' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l unused -d 'How long a key may go without a call [default: 90d]' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l expiring -d 'How long before its end a key should be replaced [default: 14d]' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l policy -d 'Read the policy from this file; options come first' -r -F
complete -c keys -n "__fish_keys_using_subcommand check" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand check" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand check" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand check" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand check" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand check" -l require-expiry -d 'Every key must have an end'
complete -c keys -n "__fish_keys_using_subcommand check" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand check" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand check" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand check" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand check" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand perms; and not __fish_seen_subcommand_from for" -f -a "for" -d 'Show the least permission each call needs'
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand perms; and __fish_seen_subcommand_from for" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l database -d 'Database: sqlite:PATH or postgres://… [default: that of the profile `local`]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l listen -d 'Address to listen on; port 0 takes a free one, which the log says' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l tls-cert -d 'Certificate and those of its issuers, in PEM form: speak TLS; SIGHUP reads it again' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l tls-key -d 'Private key of the certificate, in PEM form; others may not be able to read it' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l metrics-listen -d 'Serve /metrics for Prometheus here, on loopback unless an address is given' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l log-requests -d 'Which requests have a line in the log: all, errors or none [default: all; on a terminal errors]' -r -f -a "all\t''
errors\t'Those that failed through a fault of the service'
none\t''"
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l max-connections -d 'Connections at once; more are refused' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l header-timeout -d 'How long the header of a request may take, from its first byte; and the first byte and the TLS handshake of a connection' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l body-timeout -d 'How long the body of a request may take' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l write-timeout -d 'How long a client may take for each 64 KiB of an answer' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l idle-timeout -d 'How long a connection may wait for its next request' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l drain-timeout -d 'How long requests under way may take to finish once the server is told to end' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l behind-proxy -d 'A proxy in front speaks TLS: listen on any address, and take the client\'s from X-Forwarded-For'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -f -a "init" -d 'Make a workspace, and issue its first admin key'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -f -a "workspace" -d 'List workspaces, show one, change its plan, credits and features'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -f -a "member" -d 'Add members to a workspace, or list them'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -f -a "audit" -d 'Verify the audit log'
complete -c keys -n "__fish_keys_using_subcommand serve; and not __fish_seen_subcommand_from init workspace member audit admin" -f -a "admin" -d 'Get back into a workspace whose admin keys are lost'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l name -d 'Name of the workspace' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l plan -d 'Plan: starter, pro, org or enterprise' -r -f -a "starter\t'100 calls a day, 10 a minute'
pro\t'1,000 calls a day, 50 a minute'
org\t'10,000 calls a day, 200 a minute'
enterprise\t'100,000 calls a day and 1,000 a minute, or as agreed; keys may be unmetered'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l per-day -d 'Calls a day, instead of the plan\'s; enterprise only' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l per-minute -d 'Calls a minute, instead of the plan\'s; enterprise only' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l monthly-credits -d 'Credits granted at the start of each month [default: as it was, or 1000]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l database -d 'Database: sqlite:PATH or postgres://… [default: that of the profile `local`]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l to -d 'Where the admin key goes; may be repeated' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -f -a "list" -d 'List the workspaces'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -f -a "show" -d 'Show a workspace: plan, limits, credits and features'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -f -a "set-plan" -d 'Put a workspace on a plan'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -f -a "grant-credits" -d 'Add credits to a workspace'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from workspace" -f -a "set-feature" -d 'Switch a feature of a workspace on or off'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -f -a "add" -d 'Add a member, and issue the credential'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from member" -f -a "list" -d 'List the members whose credential works'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from audit" -f -a "verify" -d 'Look through the chain of every workspace: each entry carries the hash of the one before it'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand serve; and __fish_seen_subcommand_from admin" -f -a "recover" -d 'Issue a new admin key where none is active'
complete -c keys -n "__fish_keys_using_subcommand completions" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand completions" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand completions" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand completions" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand completions" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand completions" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand completions" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand completions" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand completions" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand completions" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand completions" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand completions" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand completions" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand completions" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand completions" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand man" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand man" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand man" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand man" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand man" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand man" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand man" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand man" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand man" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand man" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand man" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand man" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand man" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand man" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand man" -s h -l help -d 'Print help'
complete -c keys -n "__fish_keys_using_subcommand help" -s p -l profile -d 'Profile to use; `local` is the service built into this program' -r
complete -c keys -n "__fish_keys_using_subcommand help" -l provider -d 'Provider to speak to: native, leadlex, nexus or contactlevel' -r -f -a "native\t'The API of `keys serve`'
leadlex\t'LeadLex, the keys of a workspace'
nexus\t'Nexus ERP, the keys of an organisation'
contactlevel\t'ContactLevel, the keys of an organisation'"
complete -c keys -n "__fish_keys_using_subcommand help" -l api-url -d 'Address of the service' -r
complete -c keys -n "__fish_keys_using_subcommand help" -l format -d 'Form of the output: table, json, jsonl or csv; prometheus for usage and credits, junit or sarif for check' -r -f -a "table\t'Columns for people, tab-separated in a pipe'
json\t'One JSON object'
jsonl\t'One JSON value a line'
csv\t'Comma-separated with a header, for spreadsheets'
prometheus\t'Numbers for Prometheus: `usage` and `credits` only'
junit\t'Test cases, as CI services show them: `check` only'
sarif\t'Results, as code scanning shows them: `check` only'"
complete -c keys -n "__fish_keys_using_subcommand help" -l jq -d 'Run a jq expression over the JSON output' -r
complete -c keys -n "__fish_keys_using_subcommand help" -l color -d 'When to use colour: auto, always or never' -r -f -a "auto\t'Where a terminal shows it'
always\t'Also into pipes and files'
never\t'Nowhere'"
complete -c keys -n "__fish_keys_using_subcommand help" -l timeout -d 'How long a request may take [default: 30s]' -r
complete -c keys -n "__fish_keys_using_subcommand help" -l max-wait -d 'How long to wait for a service that takes no requests now [default: 60s]' -r
complete -c keys -n "__fish_keys_using_subcommand help" -l ca-cert -d 'PEM file of the authorities to trust instead of the system\'s' -r -F
complete -c keys -n "__fish_keys_using_subcommand help" -l json -d 'Same as --format json'
complete -c keys -n "__fish_keys_using_subcommand help" -s y -l yes -d 'Consent to what would be asked'
complete -c keys -n "__fish_keys_using_subcommand help" -l no-input -d 'Never ask anything'
complete -c keys -n "__fish_keys_using_subcommand help" -s q -l quiet -d 'Say only what must be heard'
complete -c keys -n "__fish_keys_using_subcommand help" -s v -l verbose -d 'Say which requests go where; -vv shows them, without secrets'
complete -c keys -n "__fish_keys_using_subcommand help" -s h -l help -d 'Print help'
