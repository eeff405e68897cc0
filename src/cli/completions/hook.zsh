# Written by hand: ask the program what the word at the cursor can be, and leave the rest to the function above.
_taskcache() {
    local line
    local -a answer values
    answer=("${(@f)$(${(Q)words[1]} complete -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)}")
    case $answer[1] in
    (values)
        compset -P 1 '--[^=]#='
        for line in "${(@)answer[2,-1]}"; do
            values+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        done
        _describe -V 'candidate' values
        ;;
    (command*)
        shift ${answer[1]#command } words
        (( CURRENT -= ${answer[1]#command } ))
        _normal
        ;;
    (*)
        _taskcache_static "$@"
        ;;
    esac
}
