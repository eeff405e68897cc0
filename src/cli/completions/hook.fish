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
