# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_taskcache_global_optspecs
    string join \n h/help V/version
end

function __fish_taskcache_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_taskcache_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __taskcache_static_using_subcommand
    set -l cmd (__fish_taskcache_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c taskcache -n "__fish_taskcache_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c taskcache -n "__fish_taskcache_needs_command" -s V -l version -d 'Print version'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "flow" -d 'Run a command as a flow, whose id and parameters nested runs can have in their keys'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "transaction" -d 'Store the results of nested runs together, or none of them'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "context" -d 'Print the run around this command as JSON'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "local-cache" -d 'Show, clear and check the local store'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "report" -d 'Report hits, misses and time saved'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "config" -d 'Show and check the configuration'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "init" -d 'Write a commented taskcache.toml into the working directory'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "man" -d 'Print the manual page, or write all of them into a folder'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "run" -d 'Run a command, or replay its stored result'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "key" -d 'Print the key that a run would have'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "explain" -d 'Say whether a command would hit, and why'
complete -c taskcache -n "__fish_taskcache_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand flow" -l name -d 'Name the flow' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand flow" -s p -l param -d 'Give the flow run a parameter' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand flow" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -l isolation -d 'Choose whether touched keys stay reserved until the end' -r -f -a "read-committed\t''
serializable\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -l on-commit -d 'Run a command after the commit, in the order given' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -l on-rollback -d 'Run a command after a rollback, in reverse order' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -a "begin" -d 'Begin a transaction across separate steps, and print its id'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -a "commit" -d 'Make all that is staged in a transaction visible'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -a "rollback" -d 'Drop all that is staged in a transaction'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -a "list" -d 'List the transactions that are not over'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and not __fish_seen_subcommand_from begin commit rollback list help" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from begin" -l isolation -d 'Choose whether touched keys stay reserved until the end' -r -f -a "read-committed\t''
serializable\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from begin" -l on-commit -d 'Run a command after the commit, in the order given' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from begin" -l on-rollback -d 'Run a command after a rollback, in reverse order' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from begin" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from begin" -l expires -d 'Count it as abandoned after this long' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from begin" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from commit" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from commit" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from rollback" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from rollback" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from list" -l format -d 'Write for people or for programs' -r -f -a "text\t''
json\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from list" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from help" -f -a "begin" -d 'Begin a transaction across separate steps, and print its id'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from help" -f -a "commit" -d 'Make all that is staged in a transaction visible'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from help" -f -a "rollback" -d 'Drop all that is staged in a transaction'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the transactions that are not over'
complete -c taskcache -n "__fish_taskcache_using_subcommand transaction; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "clear" -d 'Remove entries, all of them unless a filter is given'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "list" -d 'List entries, the latest first'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "show" -d 'Show everything about an entry'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "stats" -d 'Show what the store holds and what it saved'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "remove" -d 'Remove single entries'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "gc" -d 'Bring the store within its limits'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "verify" -d 'Read everything and say what is wrong'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "export" -d 'Write entries into a file that another store can import'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "import" -d 'Take in entries that another store exported'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "path" -d 'Print the folder of the store'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and not __fish_seen_subcommand_from clear list show stats remove gc verify export import path help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -l project -d 'Take only entries of this project; \'*\' stands for anything' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -l domain -d 'Take only entries of this domain; \'*\' stands for anything' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -s t -l task -d 'Take only entries of this task; \'*\' stands for anything' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -l older-than -d 'Take only entries older than this, such as 7d' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -s y -l yes -d 'Do not ask'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -s n -l dry-run -d 'Say what would go, and leave it'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from clear" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l project -d 'Take only entries of this project; \'*\' stands for anything' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l domain -d 'Take only entries of this domain; \'*\' stands for anything' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -s t -l task -d 'Take only entries of this task; \'*\' stands for anything' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l older-than -d 'Take only entries older than this, such as 7d' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l newer-than -d 'Take only entries newer than this, such as 2h' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l exit-code -d 'Take only entries that exited with one of these, such as 1-255' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -s s -l search -d 'Take only entries whose command has TEXT in it, in any case' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l sort -d 'Sort by this, the latest, largest or most first' -r -f -a "created\t''
used\t''
expires\t''
size\t''
duration\t''
hits\t''
saved\t''
task\t''
exit\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l limit -d 'List at most N entries' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l color -d 'Use colours: on a terminal, or always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l format -d 'Write for people or for programs' -r -f -a "text\t''
json\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -s r -l reverse -d 'Turn the order around'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -l running -d 'List what is being computed now, and by whom'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from show" -l transcript -d 'Print what the command printed instead, harmless on a terminal, raw elsewhere' -r -f -a "all\t''
stdout\t''
stderr\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from show" -l color -d 'Use colours: on a terminal, or always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from show" -l format -d 'Write for people or for programs' -r -f -a "text\t''
json\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from show" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from stats" -l since -d 'Count only the runs of this last time, such as 7d' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from stats" -l color -d 'Use colours: on a terminal, or always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from stats" -l format -d 'Write for people or for programs' -r -f -a "text\t''
json\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from stats" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from remove" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from gc" -l max-size -d 'Keep at most this many bytes of content, such as 5GiB' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from gc" -l max-age -d 'Keep nothing that was not used for this long, such as 30d' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from gc" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from gc" -s n -l dry-run -d 'Say what would go, and leave it'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from gc" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from verify" -l format -d 'Write for people or for programs' -r -f -a "text\t''
json\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from verify" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from verify" -l repair -d 'Remove what cannot be trusted and write anew what can'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from export" -s o -l output -d 'Write to FILE, \'-\' for standard output' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from export" -l project -d 'Take only entries of this project; \'*\' stands for anything' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from export" -l domain -d 'Take only entries of this domain; \'*\' stands for anything' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from export" -s t -l task -d 'Take only entries of this task; \'*\' stands for anything' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from export" -l older-than -d 'Take only entries older than this, such as 7d' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from export" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from import" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from path" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "clear" -d 'Remove entries, all of them unless a filter is given'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "list" -d 'List entries, the latest first'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show everything about an entry'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "stats" -d 'Show what the store holds and what it saved'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove single entries'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "gc" -d 'Bring the store within its limits'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Read everything and say what is wrong'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "export" -d 'Write entries into a file that another store can import'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "import" -d 'Take in entries that another store exported'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "path" -d 'Print the folder of the store'
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand report" -l html -d 'Write a page that needs nothing but itself to FILE, \'-\' for standard output' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand report" -l format -d 'Print a summary for a CI page, or everything for programs' -r -f -a "markdown\t''
json\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand report" -l since -d 'Count only the runs of this last time, such as 7d' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand report" -l events -d 'Report the runs in a file of --events instead of the store, \'-\' for standard input' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand report" -l cache-dir -d 'Use the store in DIR' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand report" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and not __fish_seen_subcommand_from show check path schema help" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and not __fish_seen_subcommand_from show check path schema help" -f -a "show" -d 'Print each option with its value and where it came from'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and not __fish_seen_subcommand_from show check path schema help" -f -a "check" -d 'Check the config files, all tables of them'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and not __fish_seen_subcommand_from show check path schema help" -f -a "path" -d 'Print the config files that are read'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and not __fish_seen_subcommand_from show check path schema help" -f -a "schema" -d 'Print the JSON schema of taskcache.toml, for editors'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and not __fish_seen_subcommand_from show check path schema help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from show" -s t -l task -d 'Show what counts for this task' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print each option with its value and where it came from'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Check the config files, all tables of them'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "path" -d 'Print the config files that are read'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Print the JSON schema of taskcache.toml, for editors'
complete -c taskcache -n "__fish_taskcache_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand init" -l stdout -d 'Print it instead of writing it'
complete -c taskcache -n "__fish_taskcache_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c taskcache -n "__fish_taskcache_using_subcommand completions" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand man" -s h -l help -d 'Print help'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -s t -l task -d 'Name the task, which takes its settings from [task.NAME]' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l environment -d 'Take defaults from the group [env.NAME]' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l project -d 'Keep entries apart by project' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l domain -d 'Keep entries apart by domain' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l version -l cache-version -d 'Say the cache version, instead of deriving it from the source' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l behavior -d 'Choose who says the version: the source, --version, or nobody' -r -f -a "auto\t''
override\t''
disable\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l salt -d 'Use a separate key space for the same work' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l version-cmd -d 'Make the output of a command part of the version' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l policy -d 'Choose which ingredients make the key, as in \'INPUTS + TASK_SOURCE - debug\'' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l key -d 'Use a key of your own' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l key-cmd -d 'Use what a command prints as the key; it reads the context as JSON' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -s i -l input -d 'Declare a file, directory or glob as input; \'!\' in front takes out, \'?\' makes optional' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l input-list -d 'Read more input patterns from a file, one a line' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l value -d 'Declare a literal input' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l input-cmd -d 'Declare the output of a command as input' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -s e -l env -d 'Declare environment variables that matter; \'*\' is a wildcard, \'!\' in front takes out' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l pass-env -d 'Let the command see variables in strict mode, unkeyed' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l env-mode -d 'Choose which variables matter, and which ones the command sees' -r -f -a "all\t''
declared\t''
strict\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l stdin -d 'Choose what the command reads on standard input' -r -f -a "null\t''
hash\t''
inherit\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l cwd -d 'Choose how the working directory enters the key' -r -f -a "auto\t''
absolute\t''
relative\t''
ignore\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l ignore -d 'Keep a variable, an input, an option or a NAME=... word out of the key' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l depfile -d 'Take further inputs from the dependency file that the command writes' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -s o -l output -d 'Declare a file, directory or glob as output; \'!\' in front takes out, \'?\' makes optional' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l output-mtime -d 'Choose what times restored files get' -r -f -a "now\t''
keep\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l replay -d 'Choose what a hit prints' -r -f -a "all\t''
stdout\t''
stderr\t''
none\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l ttl -d 'Store how long the result is valid, as in 90s or 1d12h' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l max-age -d 'Take nothing older than this' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l stale -d 'Replay what is older than this, and refresh it in the background' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l cache-exit -d 'Keep results with these exit codes, as in 0,2-4 or any' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l failure-ttl -d 'Store how long a result with a non-zero exit code is valid' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l wait -d 'Limit how long to wait for the other run' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l on-timeout -d 'Choose what happens when the wait ends without a result' -r -f -a "run\t''
fail\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l min-time -d 'Do not store what ran faster than this' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l fail-mode -d 'Choose what happens when the store cannot be used: run, or stop with 125' -r -f -a "open\t''
closed\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l status -d 'Choose when to print a line about the outcome' -r -f -a "auto\t''
always\t''
never\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l events -d 'Append one JSON object a run to a file' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l cache-dir -d 'Keep the store in this folder' -r -f -a "(__fish_complete_directories)"
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l config -d 'Read this file instead of searching for taskcache.toml' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -s 0 -l null -d 'Expect NUL instead of line ends in input lists'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-null -d 'Undo --null'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-argument-inputs -d 'Do not take arguments that name files as inputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l argument-inputs -d 'Undo --no-argument-inputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l clean-outputs -d 'Empty the declared output folders before a run and before a restore'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-clean-outputs -d 'Undo --clean-outputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l warm -d 'Fill or refresh in the background, print nothing, exit at once'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-warm -d 'Undo --warm'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l refresh -l force -d 'Run and overwrite what is stored; --no-refresh forbids it'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-refresh -d 'Undo --refresh'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-cache -d 'Neither look up nor store'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l cache -d 'Undo --no-cache'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l read-only -d 'Look up, but do not store'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-read-only -d 'Undo --read-only'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l cached-only -d 'Never run; exit with 124 on a miss'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-cached-only -d 'Undo --cached-only'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l serialize -d 'Let one run at a time compute a key; others wait and replay'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-serialize -d 'Undo --serialize'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l verify -d 'Run although there is an entry, and say what differs'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-verify -d 'Undo --verify'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l paranoid -d 'Read every input and blob again, without a stat cache'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-paranoid -d 'Undo --paranoid'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l strict -d 'Make warnings errors'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -l no-strict -d 'Undo --strict'
complete -c taskcache -n "__fish_taskcache_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -s t -l task -d 'Name the task, which takes its settings from [task.NAME]' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l environment -d 'Take defaults from the group [env.NAME]' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l project -d 'Keep entries apart by project' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l domain -d 'Keep entries apart by domain' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l version -l cache-version -d 'Say the cache version, instead of deriving it from the source' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l behavior -d 'Choose who says the version: the source, --version, or nobody' -r -f -a "auto\t''
override\t''
disable\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l salt -d 'Use a separate key space for the same work' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l version-cmd -d 'Make the output of a command part of the version' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l policy -d 'Choose which ingredients make the key, as in \'INPUTS + TASK_SOURCE - debug\'' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l key -d 'Use a key of your own' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l key-cmd -d 'Use what a command prints as the key; it reads the context as JSON' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -s i -l input -d 'Declare a file, directory or glob as input; \'!\' in front takes out, \'?\' makes optional' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l input-list -d 'Read more input patterns from a file, one a line' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l value -d 'Declare a literal input' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l input-cmd -d 'Declare the output of a command as input' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -s e -l env -d 'Declare environment variables that matter; \'*\' is a wildcard, \'!\' in front takes out' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l pass-env -d 'Let the command see variables in strict mode, unkeyed' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l env-mode -d 'Choose which variables matter, and which ones the command sees' -r -f -a "all\t''
declared\t''
strict\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l stdin -d 'Choose what the command reads on standard input' -r -f -a "null\t''
hash\t''
inherit\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l cwd -d 'Choose how the working directory enters the key' -r -f -a "auto\t''
absolute\t''
relative\t''
ignore\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l ignore -d 'Keep a variable, an input, an option or a NAME=... word out of the key' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l depfile -d 'Take further inputs from the dependency file that the command writes' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -s o -l output -d 'Declare a file, directory or glob as output; \'!\' in front takes out, \'?\' makes optional' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l output-mtime -d 'Choose what times restored files get' -r -f -a "now\t''
keep\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l replay -d 'Choose what a hit prints' -r -f -a "all\t''
stdout\t''
stderr\t''
none\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l ttl -d 'Store how long the result is valid, as in 90s or 1d12h' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l max-age -d 'Take nothing older than this' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l stale -d 'Replay what is older than this, and refresh it in the background' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l cache-exit -d 'Keep results with these exit codes, as in 0,2-4 or any' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l failure-ttl -d 'Store how long a result with a non-zero exit code is valid' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l wait -d 'Limit how long to wait for the other run' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l on-timeout -d 'Choose what happens when the wait ends without a result' -r -f -a "run\t''
fail\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l min-time -d 'Do not store what ran faster than this' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l fail-mode -d 'Choose what happens when the store cannot be used: run, or stop with 125' -r -f -a "open\t''
closed\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l status -d 'Choose when to print a line about the outcome' -r -f -a "auto\t''
always\t''
never\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l events -d 'Append one JSON object a run to a file' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l cache-dir -d 'Keep the store in this folder' -r -f -a "(__fish_complete_directories)"
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l config -d 'Read this file instead of searching for taskcache.toml' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -s 0 -l null -d 'Expect NUL instead of line ends in input lists'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-null -d 'Undo --null'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-argument-inputs -d 'Do not take arguments that name files as inputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l argument-inputs -d 'Undo --no-argument-inputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l clean-outputs -d 'Empty the declared output folders before a run and before a restore'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-clean-outputs -d 'Undo --clean-outputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l warm -d 'Fill or refresh in the background, print nothing, exit at once'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-warm -d 'Undo --warm'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l refresh -l force -d 'Run and overwrite what is stored; --no-refresh forbids it'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-refresh -d 'Undo --refresh'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-cache -d 'Neither look up nor store'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l cache -d 'Undo --no-cache'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l read-only -d 'Look up, but do not store'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-read-only -d 'Undo --read-only'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l cached-only -d 'Never run; exit with 124 on a miss'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-cached-only -d 'Undo --cached-only'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l serialize -d 'Let one run at a time compute a key; others wait and replay'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-serialize -d 'Undo --serialize'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l verify -d 'Run although there is an entry, and say what differs'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-verify -d 'Undo --verify'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l paranoid -d 'Read every input and blob again, without a stat cache'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-paranoid -d 'Undo --paranoid'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l strict -d 'Make warnings errors'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -l no-strict -d 'Undo --strict'
complete -c taskcache -n "__fish_taskcache_using_subcommand key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l format -d 'Write for people or for programs' -r -f -a "text\t''
json\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -s t -l task -d 'Name the task, which takes its settings from [task.NAME]' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l environment -d 'Take defaults from the group [env.NAME]' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l project -d 'Keep entries apart by project' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l domain -d 'Keep entries apart by domain' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l version -l cache-version -d 'Say the cache version, instead of deriving it from the source' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l behavior -d 'Choose who says the version: the source, --version, or nobody' -r -f -a "auto\t''
override\t''
disable\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l salt -d 'Use a separate key space for the same work' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l version-cmd -d 'Make the output of a command part of the version' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l policy -d 'Choose which ingredients make the key, as in \'INPUTS + TASK_SOURCE - debug\'' -x -a "(__taskcache_values)"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l key -d 'Use a key of your own' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l key-cmd -d 'Use what a command prints as the key; it reads the context as JSON' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -s i -l input -d 'Declare a file, directory or glob as input; \'!\' in front takes out, \'?\' makes optional' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l input-list -d 'Read more input patterns from a file, one a line' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l value -d 'Declare a literal input' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l input-cmd -d 'Declare the output of a command as input' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -s e -l env -d 'Declare environment variables that matter; \'*\' is a wildcard, \'!\' in front takes out' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l pass-env -d 'Let the command see variables in strict mode, unkeyed' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l env-mode -d 'Choose which variables matter, and which ones the command sees' -r -f -a "all\t''
declared\t''
strict\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l stdin -d 'Choose what the command reads on standard input' -r -f -a "null\t''
hash\t''
inherit\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l cwd -d 'Choose how the working directory enters the key' -r -f -a "auto\t''
absolute\t''
relative\t''
ignore\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l ignore -d 'Keep a variable, an input, an option or a NAME=... word out of the key' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l depfile -d 'Take further inputs from the dependency file that the command writes' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -s o -l output -d 'Declare a file, directory or glob as output; \'!\' in front takes out, \'?\' makes optional' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l output-mtime -d 'Choose what times restored files get' -r -f -a "now\t''
keep\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l replay -d 'Choose what a hit prints' -r -f -a "all\t''
stdout\t''
stderr\t''
none\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l ttl -d 'Store how long the result is valid, as in 90s or 1d12h' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l max-age -d 'Take nothing older than this' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l stale -d 'Replay what is older than this, and refresh it in the background' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l cache-exit -d 'Keep results with these exit codes, as in 0,2-4 or any' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l failure-ttl -d 'Store how long a result with a non-zero exit code is valid' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l wait -d 'Limit how long to wait for the other run' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l on-timeout -d 'Choose what happens when the wait ends without a result' -r -f -a "run\t''
fail\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l min-time -d 'Do not store what ran faster than this' -r
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l fail-mode -d 'Choose what happens when the store cannot be used: run, or stop with 125' -r -f -a "open\t''
closed\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l status -d 'Choose when to print a line about the outcome' -r -f -a "auto\t''
always\t''
never\t''"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l events -d 'Append one JSON object a run to a file' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l cache-dir -d 'Keep the store in this folder' -r -f -a "(__fish_complete_directories)"
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l config -d 'Read this file instead of searching for taskcache.toml' -r -F
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l hit -d 'Tell what is not in the key of a hit and has changed since'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -s q -l quiet -d 'Print nothing; exit with 0 for a hit, 1 for a miss, 2 where the cache is not asked'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -s 0 -l null -d 'Expect NUL instead of line ends in input lists'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-null -d 'Undo --null'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-argument-inputs -d 'Do not take arguments that name files as inputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l argument-inputs -d 'Undo --no-argument-inputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l clean-outputs -d 'Empty the declared output folders before a run and before a restore'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-clean-outputs -d 'Undo --clean-outputs'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l warm -d 'Fill or refresh in the background, print nothing, exit at once'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-warm -d 'Undo --warm'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l refresh -l force -d 'Run and overwrite what is stored; --no-refresh forbids it'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-refresh -d 'Undo --refresh'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-cache -d 'Neither look up nor store'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l cache -d 'Undo --no-cache'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l read-only -d 'Look up, but do not store'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-read-only -d 'Undo --read-only'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l cached-only -d 'Never run; exit with 124 on a miss'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-cached-only -d 'Undo --cached-only'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l serialize -d 'Let one run at a time compute a key; others wait and replay'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-serialize -d 'Undo --serialize'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l verify -d 'Run although there is an entry, and say what differs'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-verify -d 'Undo --verify'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l paranoid -d 'Read every input and blob again, without a stat cache'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-paranoid -d 'Undo --paranoid'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l strict -d 'Make warnings errors'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -l no-strict -d 'Undo --strict'
complete -c taskcache -n "__fish_taskcache_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "flow" -d 'Run a command as a flow, whose id and parameters nested runs can have in their keys'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "transaction" -d 'Store the results of nested runs together, or none of them'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "context" -d 'Print the run around this command as JSON'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "local-cache" -d 'Show, clear and check the local store'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "report" -d 'Report hits, misses and time saved'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "config" -d 'Show and check the configuration'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "init" -d 'Write a commented taskcache.toml into the working directory'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "man" -d 'Print the manual page, or write all of them into a folder'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "run" -d 'Run a command, or replay its stored result'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "key" -d 'Print the key that a run would have'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "explain" -d 'Say whether a command would hit, and why'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and not __fish_seen_subcommand_from flow transaction context local-cache report config init completions man run key explain help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from transaction" -f -a "begin" -d 'Begin a transaction across separate steps, and print its id'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from transaction" -f -a "commit" -d 'Make all that is staged in a transaction visible'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from transaction" -f -a "rollback" -d 'Drop all that is staged in a transaction'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from transaction" -f -a "list" -d 'List the transactions that are not over'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "clear" -d 'Remove entries, all of them unless a filter is given'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "list" -d 'List entries, the latest first'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "show" -d 'Show everything about an entry'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "stats" -d 'Show what the store holds and what it saved'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "remove" -d 'Remove single entries'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "gc" -d 'Bring the store within its limits'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "verify" -d 'Read everything and say what is wrong'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "export" -d 'Write entries into a file that another store can import'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "import" -d 'Take in entries that another store exported'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from local-cache" -f -a "path" -d 'Print the folder of the store'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Print each option with its value and where it came from'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Check the config files, all tables of them'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "path" -d 'Print the config files that are read'
complete -c taskcache -n "__fish_taskcache_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "schema" -d 'Print the JSON schema of taskcache.toml, for editors'

# Written by hand: ask the program what the word at the cursor can be.
function __taskcache_answer
    set -l current (commandline -ct)
    set -l words (commandline -opc) "$current"
    $words[1] complete -- $words 2>/dev/null
end

# Among the words of the cached command none of our own lines holds. It is asked once for all of them.
function __fish_taskcache_using_subcommand
    set -l line (commandline -cp)
    if test "$line" != "$__taskcache_line"
        set -g __taskcache_line "$line"
        set -g __taskcache_kind (__taskcache_answer)[1]
    end
    string match -q 'command *' -- "$__taskcache_kind"
    and return 1
    __taskcache_static_using_subcommand $argv
end

function __taskcache_values
    set -l answer (__taskcache_answer)
    test "$answer[1]" = values
    and printf '%s\n' $answer[2..]
end

# Complete the words of the cached command as a command line of their own.
function __taskcache_command
    set -l at (string replace -rf '^command (\d+)$' '$1' -- (__taskcache_answer))
    or return
    set -l current (commandline -ct)
    set -l words (commandline -opc) "$current"
    set -l first (math $at + 1)
    set -l own (string escape -- $words)
    set own $own[$first..-1]
    set own[-1] "$current"
    complete -C "$own"
end

complete -c taskcache -n "__taskcache_static_using_subcommand run key explain flow transaction" -a "(__taskcache_command)"
complete -c taskcache -n "__fish_taskcache_using_subcommand local-cache transaction" -f -a "(__taskcache_values)"
