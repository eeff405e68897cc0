
use builtin;
use str;

set edit:completion:arg-completer[taskcache] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'taskcache'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'taskcache'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand flow 'Run a command as a flow, whose id and parameters nested runs can have in their keys'
            cand transaction 'Store the results of nested runs together, or none of them'
            cand context 'Print the run around this command as JSON'
            cand local-cache 'Show, clear and check the local store'
            cand report 'Report hits, misses and time saved'
            cand config 'Show and check the configuration'
            cand init 'Write a commented taskcache.toml into the working directory'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page, or write all of them into a folder'
            cand run 'Run a command, or replay its stored result'
            cand key 'Print the key that a run would have'
            cand explain 'Say whether a command would hit, and why'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;flow'= {
            cand --name 'Name the flow'
            cand -p 'Give the flow run a parameter'
            cand --param 'Give the flow run a parameter'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;transaction'= {
            cand --isolation 'Choose whether touched keys stay reserved until the end'
            cand --on-commit 'Run a command after the commit, in the order given'
            cand --on-rollback 'Run a command after a rollback, in reverse order'
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
            cand begin 'Begin a transaction across separate steps, and print its id'
            cand commit 'Make all that is staged in a transaction visible'
            cand rollback 'Drop all that is staged in a transaction'
            cand list 'List the transactions that are not over'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;transaction;begin'= {
            cand --isolation 'Choose whether touched keys stay reserved until the end'
            cand --on-commit 'Run a command after the commit, in the order given'
            cand --on-rollback 'Run a command after a rollback, in reverse order'
            cand --cache-dir 'Use the store in DIR'
            cand --expires 'Count it as abandoned after this long'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;transaction;commit'= {
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;transaction;rollback'= {
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;transaction;list'= {
            cand --format 'Write for people or for programs'
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;transaction;help'= {
            cand begin 'Begin a transaction across separate steps, and print its id'
            cand commit 'Make all that is staged in a transaction visible'
            cand rollback 'Drop all that is staged in a transaction'
            cand list 'List the transactions that are not over'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;transaction;help;begin'= {
        }
        &'taskcache;transaction;help;commit'= {
        }
        &'taskcache;transaction;help;rollback'= {
        }
        &'taskcache;transaction;help;list'= {
        }
        &'taskcache;transaction;help;help'= {
        }
        &'taskcache;context'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'taskcache;local-cache'= {
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
            cand clear 'Remove entries, all of them unless a filter is given'
            cand list 'List entries, the latest first'
            cand show 'Show everything about an entry'
            cand stats 'Show what the store holds and what it saved'
            cand remove 'Remove single entries'
            cand gc 'Bring the store within its limits'
            cand verify 'Read everything and say what is wrong'
            cand export 'Write entries into a file that another store can import'
            cand import 'Take in entries that another store exported'
            cand path 'Print the folder of the store'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;local-cache;clear'= {
            cand --project 'Take only entries of this project; ''*'' stands for anything'
            cand --domain 'Take only entries of this domain; ''*'' stands for anything'
            cand -t 'Take only entries of this task; ''*'' stands for anything'
            cand --task 'Take only entries of this task; ''*'' stands for anything'
            cand --older-than 'Take only entries older than this, such as 7d'
            cand --cache-dir 'Use the store in DIR'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -n 'Say what would go, and leave it'
            cand --dry-run 'Say what would go, and leave it'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;list'= {
            cand --project 'Take only entries of this project; ''*'' stands for anything'
            cand --domain 'Take only entries of this domain; ''*'' stands for anything'
            cand -t 'Take only entries of this task; ''*'' stands for anything'
            cand --task 'Take only entries of this task; ''*'' stands for anything'
            cand --older-than 'Take only entries older than this, such as 7d'
            cand --newer-than 'Take only entries newer than this, such as 2h'
            cand --exit-code 'Take only entries that exited with one of these, such as 1-255'
            cand -s 'Take only entries whose command has TEXT in it, in any case'
            cand --search 'Take only entries whose command has TEXT in it, in any case'
            cand --sort 'Sort by this, the latest, largest or most first'
            cand --limit 'List at most N entries'
            cand --color 'Use colours: on a terminal, or always, or never'
            cand --format 'Write for people or for programs'
            cand --cache-dir 'Use the store in DIR'
            cand -r 'Turn the order around'
            cand --reverse 'Turn the order around'
            cand --running 'List what is being computed now, and by whom'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;show'= {
            cand --transcript 'Print what the command printed instead, harmless on a terminal, raw elsewhere'
            cand --color 'Use colours: on a terminal, or always, or never'
            cand --format 'Write for people or for programs'
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;stats'= {
            cand --since 'Count only the runs of this last time, such as 7d'
            cand --color 'Use colours: on a terminal, or always, or never'
            cand --format 'Write for people or for programs'
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;remove'= {
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;gc'= {
            cand --max-size 'Keep at most this many bytes of content, such as 5GiB'
            cand --max-age 'Keep nothing that was not used for this long, such as 30d'
            cand --cache-dir 'Use the store in DIR'
            cand -n 'Say what would go, and leave it'
            cand --dry-run 'Say what would go, and leave it'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;verify'= {
            cand --format 'Write for people or for programs'
            cand --cache-dir 'Use the store in DIR'
            cand --repair 'Remove what cannot be trusted and write anew what can'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;export'= {
            cand -o 'Write to FILE, ''-'' for standard output'
            cand --output 'Write to FILE, ''-'' for standard output'
            cand --project 'Take only entries of this project; ''*'' stands for anything'
            cand --domain 'Take only entries of this domain; ''*'' stands for anything'
            cand -t 'Take only entries of this task; ''*'' stands for anything'
            cand --task 'Take only entries of this task; ''*'' stands for anything'
            cand --older-than 'Take only entries older than this, such as 7d'
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;import'= {
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;path'= {
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;local-cache;help'= {
            cand clear 'Remove entries, all of them unless a filter is given'
            cand list 'List entries, the latest first'
            cand show 'Show everything about an entry'
            cand stats 'Show what the store holds and what it saved'
            cand remove 'Remove single entries'
            cand gc 'Bring the store within its limits'
            cand verify 'Read everything and say what is wrong'
            cand export 'Write entries into a file that another store can import'
            cand import 'Take in entries that another store exported'
            cand path 'Print the folder of the store'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;local-cache;help;clear'= {
        }
        &'taskcache;local-cache;help;list'= {
        }
        &'taskcache;local-cache;help;show'= {
        }
        &'taskcache;local-cache;help;stats'= {
        }
        &'taskcache;local-cache;help;remove'= {
        }
        &'taskcache;local-cache;help;gc'= {
        }
        &'taskcache;local-cache;help;verify'= {
        }
        &'taskcache;local-cache;help;export'= {
        }
        &'taskcache;local-cache;help;import'= {
        }
        &'taskcache;local-cache;help;path'= {
        }
        &'taskcache;local-cache;help;help'= {
        }
        &'taskcache;report'= {
            cand --html 'Write a page that needs nothing but itself to FILE, ''-'' for standard output'
            cand --format 'Print a summary for a CI page, or everything for programs'
            cand --since 'Count only the runs of this last time, such as 7d'
            cand --events 'Report the runs in a file of --events instead of the store, ''-'' for standard input'
            cand --cache-dir 'Use the store in DIR'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;config'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand show 'Print each option with its value and where it came from'
            cand check 'Check the config files, all tables of them'
            cand path 'Print the config files that are read'
            cand schema 'Print the JSON schema of taskcache.toml, for editors'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;config;show'= {
            cand -t 'Show what counts for this task'
            cand --task 'Show what counts for this task'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;config;check'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;config;path'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;config;schema'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;config;help'= {
            cand show 'Print each option with its value and where it came from'
            cand check 'Check the config files, all tables of them'
            cand path 'Print the config files that are read'
            cand schema 'Print the JSON schema of taskcache.toml, for editors'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;config;help;show'= {
        }
        &'taskcache;config;help;check'= {
        }
        &'taskcache;config;help;path'= {
        }
        &'taskcache;config;help;schema'= {
        }
        &'taskcache;config;help;help'= {
        }
        &'taskcache;init'= {
            cand --stdout 'Print it instead of writing it'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'taskcache;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;man'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'taskcache;run'= {
            cand -t 'Name the task, which takes its settings from [task.NAME]'
            cand --task 'Name the task, which takes its settings from [task.NAME]'
            cand --environment 'Take defaults from the group [env.NAME]'
            cand --project 'Keep entries apart by project'
            cand --domain 'Keep entries apart by domain'
            cand --version 'Say the cache version, instead of deriving it from the source'
            cand --cache-version 'Say the cache version, instead of deriving it from the source'
            cand --behavior 'Choose who says the version: the source, --version, or nobody'
            cand --salt 'Use a separate key space for the same work'
            cand --version-cmd 'Make the output of a command part of the version'
            cand --policy 'Choose which ingredients make the key, as in ''INPUTS + TASK_SOURCE - debug'''
            cand --key 'Use a key of your own'
            cand --key-cmd 'Use what a command prints as the key; it reads the context as JSON'
            cand -i 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional'
            cand --input 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional'
            cand --input-list 'Read more input patterns from a file, one a line'
            cand --value 'Declare a literal input'
            cand --input-cmd 'Declare the output of a command as input'
            cand -e 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out'
            cand --env 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out'
            cand --pass-env 'Let the command see variables in strict mode, unkeyed'
            cand --env-mode 'Choose which variables matter, and which ones the command sees'
            cand --stdin 'Choose what the command reads on standard input'
            cand --cwd 'Choose how the working directory enters the key'
            cand --ignore 'Keep a variable, an input, an option or a NAME=... word out of the key'
            cand --depfile 'Take further inputs from the dependency file that the command writes'
            cand -o 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional'
            cand --output 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional'
            cand --output-mtime 'Choose what times restored files get'
            cand --replay 'Choose what a hit prints'
            cand --ttl 'Store how long the result is valid, as in 90s or 1d12h'
            cand --max-age 'Take nothing older than this'
            cand --stale 'Replay what is older than this, and refresh it in the background'
            cand --cache-exit 'Keep results with these exit codes, as in 0,2-4 or any'
            cand --failure-ttl 'Store how long a result with a non-zero exit code is valid'
            cand --wait 'Limit how long to wait for the other run'
            cand --on-timeout 'Choose what happens when the wait ends without a result'
            cand --min-time 'Do not store what ran faster than this'
            cand --fail-mode 'Choose what happens when the store cannot be used: run, or stop with 125'
            cand --status 'Choose when to print a line about the outcome'
            cand --events 'Append one JSON object a run to a file'
            cand --cache-dir 'Keep the store in this folder'
            cand --config 'Read this file instead of searching for taskcache.toml'
            cand -0 'Expect NUL instead of line ends in input lists'
            cand --null 'Expect NUL instead of line ends in input lists'
            cand --no-null 'Undo --null'
            cand --no-argument-inputs 'Do not take arguments that name files as inputs'
            cand --argument-inputs 'Undo --no-argument-inputs'
            cand --clean-outputs 'Empty the declared output folders before a run and before a restore'
            cand --no-clean-outputs 'Undo --clean-outputs'
            cand --warm 'Fill or refresh in the background, print nothing, exit at once'
            cand --no-warm 'Undo --warm'
            cand --refresh 'Run and overwrite what is stored; --no-refresh forbids it'
            cand --force 'Run and overwrite what is stored; --no-refresh forbids it'
            cand --no-refresh 'Undo --refresh'
            cand --no-cache 'Neither look up nor store'
            cand --cache 'Undo --no-cache'
            cand --read-only 'Look up, but do not store'
            cand --no-read-only 'Undo --read-only'
            cand --cached-only 'Never run; exit with 124 on a miss'
            cand --no-cached-only 'Undo --cached-only'
            cand --serialize 'Let one run at a time compute a key; others wait and replay'
            cand --no-serialize 'Undo --serialize'
            cand --verify 'Run although there is an entry, and say what differs'
            cand --no-verify 'Undo --verify'
            cand --paranoid 'Read every input and blob again, without a stat cache'
            cand --no-paranoid 'Undo --paranoid'
            cand --strict 'Make warnings errors'
            cand --no-strict 'Undo --strict'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'taskcache;key'= {
            cand -t 'Name the task, which takes its settings from [task.NAME]'
            cand --task 'Name the task, which takes its settings from [task.NAME]'
            cand --environment 'Take defaults from the group [env.NAME]'
            cand --project 'Keep entries apart by project'
            cand --domain 'Keep entries apart by domain'
            cand --version 'Say the cache version, instead of deriving it from the source'
            cand --cache-version 'Say the cache version, instead of deriving it from the source'
            cand --behavior 'Choose who says the version: the source, --version, or nobody'
            cand --salt 'Use a separate key space for the same work'
            cand --version-cmd 'Make the output of a command part of the version'
            cand --policy 'Choose which ingredients make the key, as in ''INPUTS + TASK_SOURCE - debug'''
            cand --key 'Use a key of your own'
            cand --key-cmd 'Use what a command prints as the key; it reads the context as JSON'
            cand -i 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional'
            cand --input 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional'
            cand --input-list 'Read more input patterns from a file, one a line'
            cand --value 'Declare a literal input'
            cand --input-cmd 'Declare the output of a command as input'
            cand -e 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out'
            cand --env 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out'
            cand --pass-env 'Let the command see variables in strict mode, unkeyed'
            cand --env-mode 'Choose which variables matter, and which ones the command sees'
            cand --stdin 'Choose what the command reads on standard input'
            cand --cwd 'Choose how the working directory enters the key'
            cand --ignore 'Keep a variable, an input, an option or a NAME=... word out of the key'
            cand --depfile 'Take further inputs from the dependency file that the command writes'
            cand -o 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional'
            cand --output 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional'
            cand --output-mtime 'Choose what times restored files get'
            cand --replay 'Choose what a hit prints'
            cand --ttl 'Store how long the result is valid, as in 90s or 1d12h'
            cand --max-age 'Take nothing older than this'
            cand --stale 'Replay what is older than this, and refresh it in the background'
            cand --cache-exit 'Keep results with these exit codes, as in 0,2-4 or any'
            cand --failure-ttl 'Store how long a result with a non-zero exit code is valid'
            cand --wait 'Limit how long to wait for the other run'
            cand --on-timeout 'Choose what happens when the wait ends without a result'
            cand --min-time 'Do not store what ran faster than this'
            cand --fail-mode 'Choose what happens when the store cannot be used: run, or stop with 125'
            cand --status 'Choose when to print a line about the outcome'
            cand --events 'Append one JSON object a run to a file'
            cand --cache-dir 'Keep the store in this folder'
            cand --config 'Read this file instead of searching for taskcache.toml'
            cand -0 'Expect NUL instead of line ends in input lists'
            cand --null 'Expect NUL instead of line ends in input lists'
            cand --no-null 'Undo --null'
            cand --no-argument-inputs 'Do not take arguments that name files as inputs'
            cand --argument-inputs 'Undo --no-argument-inputs'
            cand --clean-outputs 'Empty the declared output folders before a run and before a restore'
            cand --no-clean-outputs 'Undo --clean-outputs'
            cand --warm 'Fill or refresh in the background, print nothing, exit at once'
            cand --no-warm 'Undo --warm'
            cand --refresh 'Run and overwrite what is stored; --no-refresh forbids it'
            cand --force 'Run and overwrite what is stored; --no-refresh forbids it'
            cand --no-refresh 'Undo --refresh'
            cand --no-cache 'Neither look up nor store'
            cand --cache 'Undo --no-cache'
            cand --read-only 'Look up, but do not store'
            cand --no-read-only 'Undo --read-only'
            cand --cached-only 'Never run; exit with 124 on a miss'
            cand --no-cached-only 'Undo --cached-only'
            cand --serialize 'Let one run at a time compute a key; others wait and replay'
            cand --no-serialize 'Undo --serialize'
            cand --verify 'Run although there is an entry, and say what differs'
            cand --no-verify 'Undo --verify'
            cand --paranoid 'Read every input and blob again, without a stat cache'
            cand --no-paranoid 'Undo --paranoid'
            cand --strict 'Make warnings errors'
            cand --no-strict 'Undo --strict'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'taskcache;explain'= {
            cand --format 'Write for people or for programs'
            cand -t 'Name the task, which takes its settings from [task.NAME]'
            cand --task 'Name the task, which takes its settings from [task.NAME]'
            cand --environment 'Take defaults from the group [env.NAME]'
            cand --project 'Keep entries apart by project'
            cand --domain 'Keep entries apart by domain'
            cand --version 'Say the cache version, instead of deriving it from the source'
            cand --cache-version 'Say the cache version, instead of deriving it from the source'
            cand --behavior 'Choose who says the version: the source, --version, or nobody'
            cand --salt 'Use a separate key space for the same work'
            cand --version-cmd 'Make the output of a command part of the version'
            cand --policy 'Choose which ingredients make the key, as in ''INPUTS + TASK_SOURCE - debug'''
            cand --key 'Use a key of your own'
            cand --key-cmd 'Use what a command prints as the key; it reads the context as JSON'
            cand -i 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional'
            cand --input 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional'
            cand --input-list 'Read more input patterns from a file, one a line'
            cand --value 'Declare a literal input'
            cand --input-cmd 'Declare the output of a command as input'
            cand -e 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out'
            cand --env 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out'
            cand --pass-env 'Let the command see variables in strict mode, unkeyed'
            cand --env-mode 'Choose which variables matter, and which ones the command sees'
            cand --stdin 'Choose what the command reads on standard input'
            cand --cwd 'Choose how the working directory enters the key'
            cand --ignore 'Keep a variable, an input, an option or a NAME=... word out of the key'
            cand --depfile 'Take further inputs from the dependency file that the command writes'
            cand -o 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional'
            cand --output 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional'
            cand --output-mtime 'Choose what times restored files get'
            cand --replay 'Choose what a hit prints'
            cand --ttl 'Store how long the result is valid, as in 90s or 1d12h'
            cand --max-age 'Take nothing older than this'
            cand --stale 'Replay what is older than this, and refresh it in the background'
            cand --cache-exit 'Keep results with these exit codes, as in 0,2-4 or any'
            cand --failure-ttl 'Store how long a result with a non-zero exit code is valid'
            cand --wait 'Limit how long to wait for the other run'
            cand --on-timeout 'Choose what happens when the wait ends without a result'
            cand --min-time 'Do not store what ran faster than this'
            cand --fail-mode 'Choose what happens when the store cannot be used: run, or stop with 125'
            cand --status 'Choose when to print a line about the outcome'
            cand --events 'Append one JSON object a run to a file'
            cand --cache-dir 'Keep the store in this folder'
            cand --config 'Read this file instead of searching for taskcache.toml'
            cand --hit 'Tell what is not in the key of a hit and has changed since'
            cand -q 'Print nothing; exit with 0 for a hit, 1 for a miss, 2 where the cache is not asked'
            cand --quiet 'Print nothing; exit with 0 for a hit, 1 for a miss, 2 where the cache is not asked'
            cand -0 'Expect NUL instead of line ends in input lists'
            cand --null 'Expect NUL instead of line ends in input lists'
            cand --no-null 'Undo --null'
            cand --no-argument-inputs 'Do not take arguments that name files as inputs'
            cand --argument-inputs 'Undo --no-argument-inputs'
            cand --clean-outputs 'Empty the declared output folders before a run and before a restore'
            cand --no-clean-outputs 'Undo --clean-outputs'
            cand --warm 'Fill or refresh in the background, print nothing, exit at once'
            cand --no-warm 'Undo --warm'
            cand --refresh 'Run and overwrite what is stored; --no-refresh forbids it'
            cand --force 'Run and overwrite what is stored; --no-refresh forbids it'
            cand --no-refresh 'Undo --refresh'
            cand --no-cache 'Neither look up nor store'
            cand --cache 'Undo --no-cache'
            cand --read-only 'Look up, but do not store'
            cand --no-read-only 'Undo --read-only'
            cand --cached-only 'Never run; exit with 124 on a miss'
            cand --no-cached-only 'Undo --cached-only'
            cand --serialize 'Let one run at a time compute a key; others wait and replay'
            cand --no-serialize 'Undo --serialize'
            cand --verify 'Run although there is an entry, and say what differs'
            cand --no-verify 'Undo --verify'
            cand --paranoid 'Read every input and blob again, without a stat cache'
            cand --no-paranoid 'Undo --paranoid'
            cand --strict 'Make warnings errors'
            cand --no-strict 'Undo --strict'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'taskcache;help'= {
            cand flow 'Run a command as a flow, whose id and parameters nested runs can have in their keys'
            cand transaction 'Store the results of nested runs together, or none of them'
            cand context 'Print the run around this command as JSON'
            cand local-cache 'Show, clear and check the local store'
            cand report 'Report hits, misses and time saved'
            cand config 'Show and check the configuration'
            cand init 'Write a commented taskcache.toml into the working directory'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page, or write all of them into a folder'
            cand run 'Run a command, or replay its stored result'
            cand key 'Print the key that a run would have'
            cand explain 'Say whether a command would hit, and why'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'taskcache;help;flow'= {
        }
        &'taskcache;help;transaction'= {
            cand begin 'Begin a transaction across separate steps, and print its id'
            cand commit 'Make all that is staged in a transaction visible'
            cand rollback 'Drop all that is staged in a transaction'
            cand list 'List the transactions that are not over'
        }
        &'taskcache;help;transaction;begin'= {
        }
        &'taskcache;help;transaction;commit'= {
        }
        &'taskcache;help;transaction;rollback'= {
        }
        &'taskcache;help;transaction;list'= {
        }
        &'taskcache;help;context'= {
        }
        &'taskcache;help;local-cache'= {
            cand clear 'Remove entries, all of them unless a filter is given'
            cand list 'List entries, the latest first'
            cand show 'Show everything about an entry'
            cand stats 'Show what the store holds and what it saved'
            cand remove 'Remove single entries'
            cand gc 'Bring the store within its limits'
            cand verify 'Read everything and say what is wrong'
            cand export 'Write entries into a file that another store can import'
            cand import 'Take in entries that another store exported'
            cand path 'Print the folder of the store'
        }
        &'taskcache;help;local-cache;clear'= {
        }
        &'taskcache;help;local-cache;list'= {
        }
        &'taskcache;help;local-cache;show'= {
        }
        &'taskcache;help;local-cache;stats'= {
        }
        &'taskcache;help;local-cache;remove'= {
        }
        &'taskcache;help;local-cache;gc'= {
        }
        &'taskcache;help;local-cache;verify'= {
        }
        &'taskcache;help;local-cache;export'= {
        }
        &'taskcache;help;local-cache;import'= {
        }
        &'taskcache;help;local-cache;path'= {
        }
        &'taskcache;help;report'= {
        }
        &'taskcache;help;config'= {
            cand show 'Print each option with its value and where it came from'
            cand check 'Check the config files, all tables of them'
            cand path 'Print the config files that are read'
            cand schema 'Print the JSON schema of taskcache.toml, for editors'
        }
        &'taskcache;help;config;show'= {
        }
        &'taskcache;help;config;check'= {
        }
        &'taskcache;help;config;path'= {
        }
        &'taskcache;help;config;schema'= {
        }
        &'taskcache;help;init'= {
        }
        &'taskcache;help;completions'= {
        }
        &'taskcache;help;man'= {
        }
        &'taskcache;help;run'= {
        }
        &'taskcache;help;key'= {
        }
        &'taskcache;help;explain'= {
        }
        &'taskcache;help;help'= {
        }
    ]
    $completions[$command]
}

# Written by hand: ask the program what the word at the cursor can be, and leave the rest to the function above.
var static~ = $edit:completion:arg-completer[taskcache]
set edit:completion:arg-completer[taskcache] = {|@words|
    var answer = [static]
    try {
        set answer = [((external $words[0]) complete -- $@words 2>/dev/null)]
    } catch e {
        nop
    }
    var kind = $answer[0]
    if (eq $kind values) {
        var glued = ''
        if (and (str:has-prefix $words[-1] '--') (str:contains $words[-1] '=')) {
            set glued = $words[-1][..(+ 1 (str:index $words[-1] '='))]
        }
        for line $answer[1..] {
            var value says = (str:split "\t" $line)
            edit:complex-candidate $glued$value &display=$value' '$says
        }
    } elif (str:has-prefix $kind 'command ') {
        var at = (num $kind[8..])
        edit:complete-sudo (all $words[(- $at 1)..])
    } else {
        static $@words
    }
}
