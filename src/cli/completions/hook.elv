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
