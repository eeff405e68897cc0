//! Completion scripts, in the shells that they are for.
//!
//! A shell that is not installed is skipped with a line that says so. Elvish completes in its editor alone, and is
//! tried by hand; PowerShell's script is what the generator gives.

use crate::support::{Ran, TestEnv, ran};
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns a world with a config of two tasks, and one entry, which has the key that is returned.
fn world() -> (TestEnv, String) {
    let env = TestEnv::new();
    env.write(
        "taskcache.toml",
        "[task.report]\ncommand = ['sort', 'fruit']\n[task.resume]\nttl = '1d'\n[env.ci]\n\
         [policy.mine]\nexpression = 'INPUTS'\n",
    );
    env.write("fruit", "pear\n");
    assert_eq!(env.run("run -t report"), ran(0, "pear\n"));
    let key = env.run("key -t report").stdout.trim().to_owned();
    (env, key)
}

/// Runs a script in a shell, in which this program is found. `None` where there is no such shell.
fn in_shell(env: &TestEnv, shell: &str, arguments: &[&str], script: &str) -> Option<Ran> {
    let program = ["/usr/local/bin", "/usr/bin", "/bin"].map(|folder| Path::new(folder).join(shell));
    let Some(program) = program.iter().find(|path| path.is_file()) else {
        eprintln!("skipped: there is no {shell}");
        return None;
    };
    let ours = Path::new(env!("CARGO_BIN_EXE_taskcache")).parent().unwrap();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(env.write("completion-test", script))
        .env_clear()
        .env("HOME", env.home())
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", ours.display()))
        .env("TERM", "dumb")
        .current_dir(env.work())
        .stdin(Stdio::null());
    Some(Ran::of(&command.output().unwrap()))
}

#[test]
fn the_program_says_what_a_word_can_be() {
    let (env, key) = world();
    for (line, expected) in [
        ("run -t r", "values\nreport\tsort fruit\nresume\t\n"),
        ("run --task=rep", "values\nreport\tsort fruit\n"),
        ("run --environment ''", "values\nci\t\n"),
        ("run --policy m", "values\nmine\tINPUTS\n"),
        ("local-cache list --task ''", "values\nreport\t\n"),
        ("run -i src make -", "command 4\n"),
        ("run --ref", "static\n"),
    ] {
        assert_eq!(env.run(&format!("complete -- taskcache {line}")), ran(0, expected), "{line}");
    }
    for digits in ["", &key[..3], &key.to_uppercase()[..9], &key] {
        let shown = env.run_words(["complete", "--", "taskcache", "local-cache", "show", digits]);
        let expected = if digits == digits.to_lowercase() {
            format!("values\n{key}\treport\n")
        } else {
            "values\n".into()
        };
        assert_eq!(shown, ran(0, &expected), "{digits}");
    }
    let begun = env.run("transaction begin").stdout;
    let open = env.run("complete -- taskcache transaction commit ''").stdout;
    assert_eq!(open, format!("values\n{}\t\n", begun.trim()));
}

/// Somebody pressed a key: whatever is wrong, there is an answer, and no word on the screen.
#[test]
fn what_is_wrong_has_no_candidates() {
    let env = TestEnv::new();
    assert_eq!(env.run("complete"), ran(0, "static\n"));
    assert_eq!(env.run("complete -- taskcache local-cache show ''"), ran(0, "values\n"));
    env.write("taskcache.toml", "[defaults\n");
    assert_eq!(env.run("complete -- taskcache run -t ''"), ran(0, "values\n"));
    assert_eq!(env.run("complete -- taskcache run --config other.toml -t ''"), ran(0, "values\n"));
    env.write("other.toml", "[task.\"a b\"]\n[task.\"bell\\u0007\"]\n");
    assert_eq!(env.run("complete -- taskcache run --config other.toml -t ''"), ran(0, "values\na b\t\n"));
    env.set_store_to_a_file();
    assert_eq!(env.run("complete -- taskcache local-cache show ''"), ran(0, "values\n"));
    assert!(!env.exists("home/.flyte"), "asking makes no store");
}

#[test]
fn bash_completes() {
    let (env, key) = world();
    env.run_words(["run", "--replay", "none", "--", "true"]);
    let script = r#"
        source <(taskcache completions bash)
        ask() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            local word=${COMP_WORDS[COMP_CWORD]}
            [[ $word != = ]] || word=
            _taskcache taskcache "$word" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s:' "${COMP_WORDS[*]:1}"
            printf ' %s' "${COMPREPLY[@]}"
            echo
        }
        ask taskcache ru
        ask taskcache run -t ''
        ask taskcache run --task = rep
        ask taskcache run --task =
        ask taskcache run --behavior ''
        ask taskcache run --envir
        ask taskcache run --config other.toml --task ''
        ask taskcache run -- mkfif
        ask taskcache run -- cat fr
        ask taskcache transaction com
        ask taskcache local-cache show KEY
        # What bash-completion brings, where it is loaded.
        inner() { COMPREPLY=("${COMP_WORDS[@]:COMP_CWORD}" done); }
        _command_offset() { COMP_WORDS=("${COMP_WORDS[@]:$1}") COMP_CWORD=$((COMP_CWORD - $1)); inner; }
        ask taskcache run --salt = x -- inner wor
    "#;
    env.write("other.toml", "[task.\"a b\"]\n");
    let expected = "ru: run\n\
        run -t : report resume\n\
        run --task = rep: report\n\
        run --task =: report resume\n\
        run --behavior : auto override disable\n\
        run --envir: --environment\n\
        run --config other.toml --task : a\\ b\n\
        run -- mkfif: mkfifo\n\
        run -- cat fr: \n\
        transaction com: commit\n\
        local-cache show KEY: KEYWHOLE\n\
        wor: wor done\n";
    let expected = expected.replace("KEYWHOLE", &key).replace("KEY", &key[..6]);
    let Some(found) = in_shell(&env, "bash", &["--norc"], &script.replace("KEY", &key[..6])) else { return };
    assert_eq!(found, ran(0, &expected));
}

#[test]
fn fish_completes() {
    let (env, key) = world();
    let script = r"
        taskcache completions fish | source
        for line in 'taskcache ru' 'taskcache run -t re' 'taskcache run --task=rep' 'taskcache run --environment ' \
            'taskcache run --behavior a' 'taskcache run -- cat fr' 'taskcache run --refresh mkfif' \
            'taskcache run --envir' 'taskcache run mkfifo --envir' \
            'taskcache local-cache show ' 'taskcache local-cache list --task ' 'taskcache transaction comm'
            echo -n $line:
            echo '' (complete -C $line | string replace -r '\t.*' '')
        end
    ";
    let expected = format!(
        "taskcache ru: run\n\
         taskcache run -t re: report resume\n\
         taskcache run --task=rep: --task=report\n\
         taskcache run --environment : ci\n\
         taskcache run --behavior a: auto\n\
         taskcache run -- cat fr: fruit\n\
         taskcache run --refresh mkfif: mkfifo\n\
         taskcache run --envir: --environment\n\
         taskcache run mkfifo --envir:\n\
         taskcache local-cache show : {key}\n\
         taskcache local-cache list --task : report\n\
         taskcache transaction comm: commit\n"
    );
    let Some(found) = in_shell(&env, "fish", &["--no-config"], script) else { return };
    assert_eq!(found, ran(0, &expected));
}

/// Zsh completes in its line editor alone, so a second zsh gets a terminal of its own and the keys.
#[test]
fn zsh_completes() {
    let (env, key) = world();
    let script = r#"
        zmodload zsh/zpty
        ask() {
            local out
            zpty -b editor zsh -f -i
            zpty -w editor 'PROMPT=; unsetopt zle_bracketed_paste beep'
            zpty -w editor 'autoload -U compinit; compinit -u -D; source <(taskcache completions zsh)'
            # What a builtin of the line editor is given in an array is only asked about; the rest is offered.
            zpty -w editor 'compadd() {
                if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
                local -a hits; builtin compadd -A hits "$@"; builtin compadd "$@"
                [[ -z $hits ]] || print -rl -- $hits >> '$HOME'/offered
            }'
            zpty -w editor 'echo REA""DY'
            zpty -r editor out '*READY*'
            : > $HOME/offered
            zpty -w -n editor "$1"$'\t\C-u'
            zpty -w editor 'echo DO""NE'
            zpty -r editor out '*DONE*'
            zpty -d editor
            print -r -- "$1:" ${(f)"$(<$HOME/offered)"}
        }
        ask 'taskcache ru'
        ask 'taskcache run -t '
        ask 'taskcache run --task=rep'
        ask 'taskcache run --environment '
        ask 'taskcache run --behavior '
        ask 'taskcache run -- cat fr'
        ask 'taskcache run --refresh mkfif'
        ask 'taskcache local-cache show '
        ask 'taskcache transaction comm'
    "#;
    let expected = format!(
        "taskcache ru: run\n\
         taskcache run -t : report resume\n\
         taskcache run --task=rep: report\n\
         taskcache run --environment : ci\n\
         taskcache run --behavior : auto override disable\n\
         taskcache run -- cat fr: fruit\n\
         taskcache run --refresh mkfif: mkfifo\n\
         taskcache local-cache show : {key}\n\
         taskcache transaction comm: commit\n"
    );
    let Some(found) = in_shell(&env, "zsh", &["-f"], script) else { return };
    assert_eq!(found, ran(0, &expected));
}
