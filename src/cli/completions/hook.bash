# Written by hand: ask the program what the word at the cursor can be, and leave the rest to the function above.
_taskcache() {
    local word line at=0
    local -a words=() numbers=()
    # The shell takes --option=value for three words.
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} -gt 0 && ( $word == = && ${words[${#words[@]}-1]} == --* || ${words[${#words[@]}-1]} == --*= ) ]]; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
            numbers+=("$at")
        fi
        at=$((at + 1))
    done
    COMPREPLY=()
    local answer=""
    while IFS= read -r line; do
        case $answer in
            "")
                answer=$line
                ;;
            values)
                COMPREPLY+=("$(printf %q "${line%%$'\t'*}")")
                ;;
        esac
    done < <("$1" complete -- "${words[@]}" 2>/dev/null)
    case $answer in
        values)
            # No file is meant where no name fits.
            compopt +o default +o bashdefault 2>/dev/null
            ;;
        "command "*)
            at=${answer#command }
            _taskcache_command "${numbers[at]}" "$2"
            ;;
        *)
            _taskcache_static "$@"
            ;;
    esac
}

# Complete the words from number $1 on as a command line of their own. With no reply the shell completes files.
_taskcache_command() {
    if [[ $COMP_CWORD -eq $1 ]]; then
        local line
        while IFS= read -r line; do
            COMPREPLY+=("$line")
        done < <(compgen -c -- "$2" | sort -u)
    elif declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset "$1"
    elif declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    fi
}
