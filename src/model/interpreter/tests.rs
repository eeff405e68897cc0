use super::*;
use crate::model::path::printable;
use proptest::prelude::*;

/// Returns what a command line names: `position:path` for each script, then the candidates behind a `?`.
fn scripts(command: &str) -> String {
    let argv: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
    let Scripts { named, candidates } = script_arguments(&argv);
    let named = named.into_iter().map(|script| format!("{}:{}", script.position, printable(&script.path)));
    let candidates = candidates.iter().map(|path| format!("?{}", printable(path)));
    named.chain(candidates).collect::<Vec<_>>().join(" ")
}

fn check(table: &[(&str, &str)]) {
    for (command, expected) in table {
        assert_eq!(scripts(command), *expected, "{command}");
    }
}

#[test]
fn shells() {
    check(&[
        ("sh x.sh", "1:x.sh"),
        ("/bin/bash -eux x.sh -c y", "2:x.sh"),
        ("bash -o pipefail x.sh", "3:x.sh"),
        ("bash -euo pipefail x.sh", "3:x.sh"),
        ("bash -oe pipefail x.sh", "3:x.sh"),
        ("bash +x -O extglob +o posix -- x.sh", "7:x.sh"),
        ("bash --norc --rcfile y x.sh", "4:x.sh"),
        ("bash - x.sh", "2:x.sh"),
        ("zsh -f x.zsh", "2:x.zsh"),
        ("ksh93 x", "1:x"),
        ("dash", ""),
        ("bash -c x.sh", ""),
        ("bash -ec x.sh y.sh", ""),
        ("bash -s x", ""),
        ("bash -", ""),
        ("bash -o", ""),
        ("bash --unknown x.sh", ""),
    ]);
}

#[test]
fn pythons() {
    check(&[
        ("python x.py -m y", "1:x.py"),
        ("/usr/bin/python3.11 -u x.py", "2:x.py"),
        ("python3 -W ignore -X dev -bb x.py", "6:x.py"),
        ("python3 -Wignore -Xdev -OO x.py", "4:x.py"),
        ("python3 -uW ignore x.py", "3:x.py"),
        ("python --check-hash-based-pycs never x.py", "3:x.py"),
        ("pypy3 x.py", "1:x.py"),
        ("python -- x.py", "2:x.py"),
        ("python -m x", ""),
        ("python -um x y", ""),
        ("python -c x y", ""),
        ("python - x.py", ""),
        ("python -V x.py", ""),
        ("python --help x.py", ""),
        ("python3-config x.py", ""),
    ]);
}

#[test]
fn javascript() {
    check(&[
        ("node x.js --require y", "1:x.js"),
        ("node20 -r m --require n --enable-source-maps --import=o x.js", "7:x.js"),
        ("node --inspect inspect x.js", "3:x.js"),
        ("node -c x.js", "2:x.js"),
        ("node -- x.js", "2:x.js"),
        ("node -e x y.js", ""),
        ("node -pe x y.js", ""),
        ("node --eval=x y.js", ""),
        ("node - y.js", ""),
        ("deno run -A --allow-read=. -R=x -c deno.json x.ts -e", "7:x.ts"),
        ("deno x.ts", "1:x.ts"),
        ("deno -q run --config y x.ts", "5:x.ts"),
        ("deno eval x", ""),
        ("deno test x.ts", ""),
        ("deno run -", ""),
        ("bun x.ts", "1:x.ts"),
        ("bun run x.ts", "2:x.ts"),
        ("bun --watch -r y run --smol x.ts", "6:x.ts"),
        ("bun test x.ts", ""),
        ("bun -e x y.ts", ""),
        ("bun --cwd y x.ts", ""),
    ]);
}

#[test]
fn other_languages() {
    check(&[
        ("ruby x.rb", "1:x.rb"),
        ("ruby -I dir -r lib -w x.rb", "6:x.rb"),
        ("ruby -Idir -rlib -W:no-deprecated --yjit x.rb", "5:x.rb"),
        ("ruby --enable=jit --enable gems x.rb", "4:x.rb"),
        ("ruby -ne x y", ""),
        ("ruby -S rake", ""),
        ("ruby -C dir x.rb", ""),
        ("perl -I dir x.pl -e", "3:x.pl"),
        ("perl -w -Mstrict -MFoo=bar -d:Prof x.pl", "5:x.pl"),
        ("perl -0777 -i.bak -lp x.pl y", "4:x.pl"),
        ("perl -lane x y", ""),
        ("perl -0777ne x y", ""),
        ("perl -pi x.pl", "2:x.pl"),
        ("perl -pi -e x y", ""),
        ("php x.php", "1:x.php"),
        ("php8.2 -d a=b -n -f x.php -- y", "5:x.php"),
        ("php --file=x.php y", "1:x.php"),
        ("php -d a=b x.php", "3:x.php"),
        ("php -r x y.php", ""),
        ("php --run=x y.php", ""),
        ("lua5.4 -l m -e a=1 x.lua", "5:x.lua"),
        ("lua - x.lua", ""),
        ("Rscript --vanilla --default-packages=x x.R --help", "3:x.R"),
        ("Rscript -e x y", ""),
        ("julia --project=. -O3 -t 4 x.jl", "5:x.jl"),
        ("julia --project --threads 4 x.jl", "4:x.jl"),
        ("julia -e x y", ""),
        ("julia --eval=x y", ""),
        ("java -cp x -Xmx1g -Da=b -jar a.jar -jar b.jar", "6:a.jar"),
        ("java17 --add-opens x=y X.java", "3:X.java"),
        ("java -cp x Main X.java", ""),
        ("java -m x/y z.java", ""),
        ("java @args X.java", ""),
        ("java -jar", ""),
    ]);
}

#[test]
fn makes() {
    let defaults = "?GNUmakefile ?makefile ?Makefile";
    check(&[
        ("make", defaults),
        ("make -j8 -k all CC=gcc", defaults),
        ("make -j 8 --no-print-directory -O -B", defaults),
        ("gmake -C sub all", "?sub/GNUmakefile ?sub/makefile ?sub/Makefile"),
        ("make all -C a --directory=b/ -s", "?a/b/GNUmakefile ?a/b/makefile ?a/b/Makefile"),
        ("make -C a -C /b", "?/b/GNUmakefile ?/b/makefile ?/b/Makefile"),
        ("make -f x.mk", "2:x.mk"),
        ("make -fx.mk --file=y.mk --makefile z.mk -kf w.mk", "1:x.mk 2:y.mk 4:z.mk 6:w.mk"),
        ("make all -f x.mk -f /y.mk --directory a", "3:a/x.mk 5:/y.mk"),
        ("make -I inc --eval x -- -f", defaults),
        ("make -f -", ""),
        ("make -f x.mk --direct=a", ""),
        ("make -f x.mk --direct a", ""),
        ("make --version", ""),
        ("make -f", ""),
    ]);
}

#[test]
fn awk_and_sed() {
    check(&[
        ("awk -f x.awk y", "2:x.awk"),
        ("gawk -F , -v a=b -fx.awk --file=y.awk --file z.awk y -f w", "5:x.awk 6:y.awk 8:z.awk"),
        ("mawk -F: x y", ""),
        ("awk x -f y", ""),
        ("gawk -i inplace -f x", "4:x"),
        ("nawk -f x --unknown", "2:x"),
        ("sed -n -f x.sed y", "3:x.sed"),
        ("sed -i.bak -fx.sed --file=y.sed a -nf z.sed", "2:x.sed 3:y.sed 6:z.sed"),
        ("sed --in-place -e x --expression y -E a", ""),
        ("sed s/a/b/ x", ""),
        ("sed -f x.sed --unknown", "2:x.sed"),
        ("sed -- x -f y", ""),
    ]);
}

#[test]
fn launchers_are_looked_through() {
    check(&[
        ("env python3 x.py", "2:x.py"),
        ("/usr/bin/env -i -u A B=c D= bash -e x.sh", "8:x.sh"),
        ("env - A=b env sh x", "5:x"),
        ("env --unset A --ignore-environment sh x", "5:x"),
        ("env -- A=b sh x", "4:x"),
        ("env make", "?GNUmakefile ?makefile ?Makefile"),
        ("env -S sh x", ""),
        ("env -C dir sh x", ""),
        ("env --chdir=dir sh x", ""),
        ("env A=b", ""),
        ("env", ""),
        ("cat x.sh", ""),
        ("./configure x.sh", ""),
    ]);
    assert_eq!(script_arguments(&[]), Scripts::default());
    assert_eq!(script_arguments(&[b"sh", b"\xff"]).named, [Script { position: 1, path: b"\xff".to_vec() }]);
}

proptest! {
    /// Whatever stands in argv, a script is a word of it or the end of one.
    #[test]
    fn a_script_is_in_its_word(
        program in prop::sample::select(vec![
            "sh", "python", "node", "deno", "bun", "ruby", "perl", "php", "lua", "Rscript", "julia", "java", "make",
            "awk", "sed", "env",
        ]),
        rest in prop::collection::vec("(-|--|\\+)?[a-zA-Z0@=]{0,3}|-f|-C|--file=?x|run|sh|make|-", 0..6),
    ) {
        let argv: Vec<&[u8]> =
            [program].into_iter().chain(rest.iter().map(String::as_str)).map(str::as_bytes).collect();
        let Scripts { named, candidates } = script_arguments(&argv);
        prop_assert!(named.is_empty() || candidates.is_empty());
        for script in named {
            let name = script.path.rsplit(|byte| *byte == b'/').next().unwrap();
            prop_assert!(script.position > 0 && argv[script.position].ends_with(name));
        }
    }
}
