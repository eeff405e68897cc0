//! How each interpreter reads its command line, as far as it takes to find the script.

/// What the first word that is no option means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// The script, unless an option named it; all behind it is the script's own.
    Script,
    /// A program on the command line, or an argument; options end here.
    Argument,
    /// A target or a file to work on; options may follow.
    Target,
    /// The program that a launcher starts, behind `NAME=value` words.
    Program,
}

/// The command line of an interpreter. Short options may be joined (`-xe`); each letter stands in one class, and a
/// letter in none ends the search without a script, as do those after which no script is read: `-c`, `-e`, `-s`,
/// and what only prints a text.
#[derive(Debug)]
pub(super) struct Grammar {
    /// Options without a value.
    pub(super) flags: &'static str,
    /// Options with an octal number, where one follows at once.
    pub(super) counted: &'static str,
    /// Options whose value is the next word, whatever else stands in theirs.
    pub(super) next_word: &'static str,
    /// Options that take the rest of their word and nothing else.
    pub(super) attached: &'static str,
    /// Options whose value is the rest of their word, or else the next one.
    pub(super) valued: &'static str,
    /// The same where the value is a script.
    pub(super) scripts: &'static str,
    /// The same where the value is the folder that scripts are relative to.
    pub(super) directories: &'static str,
    pub(super) long_flags: &'static [&'static str],
    pub(super) long_valued: &'static [&'static str],
    pub(super) long_scripts: &'static [&'static str],
    pub(super) long_directories: &'static [&'static str],
    /// Long options after which no script is read.
    pub(super) long_ending: &'static [&'static str],
    /// An unknown long option has no value in the next word: for programs whose switches are hundreds.
    pub(super) unknown_are_flags: bool,
    /// `+x` is an option too.
    pub(super) plus: bool,
    /// `-` alone ends the options; else it is standard input.
    pub(super) dash_is_end: bool,
    pub(super) operand: Operand,
    /// First operands behind which the script follows.
    pub(super) runs: &'static [&'static [u8]],
    /// First operands that run no script.
    pub(super) commands: &'static [&'static [u8]],
    /// What is read in the folder where no script is named; the first that exists.
    pub(super) defaults: &'static [&'static str],
}

const NOTHING: Grammar = Grammar {
    flags: "",
    counted: "",
    next_word: "",
    attached: "",
    valued: "",
    scripts: "",
    directories: "",
    long_flags: &[],
    long_valued: &[],
    long_scripts: &[],
    long_directories: &[],
    long_ending: &[],
    unknown_are_flags: false,
    plus: false,
    dash_is_end: false,
    operand: Operand::Script,
    runs: &[],
    commands: &[],
    defaults: &[],
};

/// `env`. Behind `-C` a relative script is elsewhere, and `-S` holds words of its own; neither is looked through.
pub(super) static LAUNCHER: Grammar = Grammar {
    flags: "i0v",
    valued: "u",
    long_flags: &[
        "ignore-environment",
        "null",
        "debug",
        "block-signal",
        "default-signal",
        "ignore-signal",
        "list-signal-handling",
    ],
    long_valued: &["unset"],
    long_ending: &["chdir", "split-string", "help", "version"],
    operand: Operand::Program,
    ..NOTHING
};

static SHELL: Grammar = Grammar {
    flags: "abefghiklmnpruvxBCDEGHPTVI",
    next_word: "oO",
    long_flags: &[
        "login",
        "noprofile",
        "norc",
        "posix",
        "restricted",
        "verbose",
        "noediting",
        "debug",
        "debugger",
        "dump-strings",
        "dump-po-strings",
        "pretty-print",
    ],
    long_valued: &["rcfile", "init-file"],
    plus: true,
    dash_is_end: true,
    ..NOTHING
};

static PYTHON: Grammar = Grammar {
    flags: "bBdEiIOPqsSuRvx3t",
    valued: "WXQ",
    long_valued: &["check-hash-based-pycs", "jit"],
    ..NOTHING
};

static NODE: Grammar = Grammar {
    flags: "c",
    valued: "rC",
    long_valued: &[
        "require",
        "import",
        "loader",
        "experimental-loader",
        "conditions",
        "env-file",
        "env-file-if-exists",
        "experimental-config-file",
        "input-type",
        "title",
        "icu-data-dir",
        "openssl-config",
        "disable-warning",
        "redirect-warnings",
        "diagnostic-dir",
        "report-dir",
        "report-directory",
        "report-filename",
        "cpu-prof-dir",
        "cpu-prof-name",
        "heap-prof-dir",
        "heap-prof-name",
        "localstorage-file",
        "test-name-pattern",
        "test-skip-pattern",
        "test-reporter",
        "test-reporter-destination",
        "test-concurrency",
        "test-shard",
        "test-timeout",
        "dns-result-order",
        "unhandled-rejections",
        "watch-path",
        "allow-fs-read",
        "allow-fs-write",
    ],
    long_ending: &["eval", "print", "interactive", "run", "help", "version", "v8-options", "completion-bash"],
    unknown_are_flags: true,
    runs: &[b"inspect"],
    ..NOTHING
};

static DENO: Grammar = Grammar {
    flags: "Aqf",
    attached: "rRWNESIP",
    valued: "cL",
    long_valued: &[
        "config",
        "log-level",
        "import-map",
        "cert",
        "location",
        "seed",
        "ext",
        "preload",
        "import",
        "require",
        "conditions",
        "minimum-dependency-age",
    ],
    long_ending: &["help", "version"],
    unknown_are_flags: true,
    runs: &[b"run"],
    commands: &[
        b"add",
        b"approve-scripts",
        b"audit",
        b"bench",
        b"bundle",
        b"cache",
        b"check",
        b"clean",
        b"compile",
        b"completions",
        b"coverage",
        b"create",
        b"deploy",
        b"doc",
        b"eval",
        b"fmt",
        b"help",
        b"info",
        b"init",
        b"install",
        b"jupyter",
        b"lint",
        b"lsp",
        b"outdated",
        b"publish",
        b"remove",
        b"repl",
        b"sandbox",
        b"serve",
        b"task",
        b"test",
        b"types",
        b"uninstall",
        b"update",
        b"upgrade",
        b"vendor",
        b"x",
    ],
    ..NOTHING
};

// Behind `--cwd` the script is elsewhere.
static BUN: Grammar = Grammar {
    flags: "bi",
    valued: "rdlc",
    long_valued: &[
        "preload",
        "require",
        "import",
        "config",
        "env-file",
        "define",
        "drop",
        "loader",
        "conditions",
        "main-fields",
        "extension-order",
        "tsconfig-override",
        "port",
        "install",
        "elide-lines",
        "shell",
        "title",
        "unhandled-rejections",
        "console-depth",
        "jsx-factory",
        "jsx-fragment",
        "jsx-import-source",
        "jsx-runtime",
    ],
    long_ending: &["eval", "print", "cwd", "filter", "workspaces", "help", "version", "revision"],
    unknown_are_flags: true,
    runs: &[b"run"],
    commands: &[
        b"a",
        b"add",
        b"audit",
        b"build",
        b"c",
        b"completions",
        b"create",
        b"discord",
        b"exec",
        b"feedback",
        b"getcompletes",
        b"help",
        b"i",
        b"info",
        b"init",
        b"install",
        b"link",
        b"outdated",
        b"patch",
        b"patch-commit",
        b"pm",
        b"publish",
        b"remove",
        b"repl",
        b"rm",
        b"test",
        b"unlink",
        b"update",
        b"upgrade",
        b"why",
        b"x",
    ],
    ..NOTHING
};

// In no class: `-S`, which searches the PATH, and `-C`, behind which the script is elsewhere.
static RUBY: Grammar = Grammar {
    flags: "aclnpsvwUd",
    counted: "0",
    attached: "iTKWFx",
    valued: "IrE",
    long_valued: &[
        "enable",
        "disable",
        "encoding",
        "external-encoding",
        "internal-encoding",
        "backtrace-limit",
        "dump",
        "parser",
    ],
    long_ending: &["help", "version", "copyright"],
    unknown_are_flags: true,
    ..NOTHING
};

static PERL: Grammar =
    Grammar { flags: "acfgnpstTuUwWX", counted: "0l", attached: "idDFCmMx", valued: "I", ..NOTHING };

static PHP: Grammar = Grammar {
    flags: "CHlnqsw",
    valued: "cdzt",
    scripts: "fF",
    long_flags: &["no-php-ini", "no-header", "syntax-check", "syntax-highlight", "strip"],
    long_valued: &["php-ini", "define", "zend-extension", "docroot"],
    long_scripts: &["file", "process-file"],
    long_ending: &["run", "process-begin", "process-code", "process-end", "interactive", "server"],
    ..NOTHING
};

static LUA: Grammar = Grammar { flags: "iEWv", attached: "O", valued: "elj", ..NOTHING };

static RSCRIPT: Grammar = Grammar { long_ending: &["help", "version"], unknown_are_flags: true, ..NOTHING };

static JULIA: Grammar = Grammar {
    flags: "qi",
    attached: "Og",
    valued: "JCtpHL",
    long_flags: &["quiet", "project", "optimize", "code-coverage", "track-allocation"],
    long_valued: &[
        "sysimage",
        "cpu-target",
        "threads",
        "gcthreads",
        "procs",
        "machine-file",
        "home",
        "load",
        "startup-file",
        "handle-signals",
        "sysimage-native-code",
        "compiled-modules",
        "pkgimages",
        "color",
        "history-file",
        "depwarn",
        "warn-overwrite",
        "compile",
        "inline",
        "check-bounds",
        "math-mode",
        "heap-size-hint",
        "min-optlevel",
        "trace-compile",
    ],
    long_ending: &["eval", "print", "module", "help", "version"],
    ..NOTHING
};

static MAKE: Grammar = Grammar {
    flags: "bBdeikLmnpqrRsStw",
    attached: "jlO",
    valued: "IoWE",
    scripts: "f",
    directories: "C",
    long_flags: &[
        "always-make",
        "check-symlink-times",
        "debug",
        "dry-run",
        "environment-overrides",
        "ignore-errors",
        "jobs",
        "just-print",
        "keep-going",
        "load-average",
        "max-load",
        "no-builtin-rules",
        "no-builtin-variables",
        "no-keep-going",
        "no-print-directory",
        "no-silent",
        "output-sync",
        "print-data-base",
        "print-directory",
        "question",
        "quiet",
        "recon",
        "shuffle",
        "silent",
        "stop",
        "touch",
        "trace",
        "warn-undefined-variables",
    ],
    long_valued: &[
        "assume-new",
        "assume-old",
        "eval",
        "include-dir",
        "jobserver-auth",
        "jobserver-fds",
        "jobserver-style",
        "new-file",
        "old-file",
        "what-if",
    ],
    long_scripts: &["file", "makefile"],
    long_directories: &["directory"],
    long_ending: &["help", "version"],
    operand: Operand::Target,
    defaults: &["GNUmakefile", "makefile", "Makefile"],
    ..NOTHING
};

static AWK: Grammar = Grammar {
    flags: "bcgIkMnNOPrsSt",
    attached: "dDopL",
    valued: "FveliW",
    scripts: "fE",
    long_flags: &[
        "bignum",
        "characters-as-bytes",
        "csv",
        "debug",
        "dump-variables",
        "gen-pot",
        "lint",
        "lint-old",
        "no-optimize",
        "non-decimal-data",
        "optimize",
        "posix",
        "pretty-print",
        "profile",
        "re-interval",
        "sandbox",
        "trace",
        "traditional",
        "use-lc-numeric",
    ],
    long_valued: &["assign", "field-separator", "source", "load", "include"],
    long_scripts: &["file", "exec"],
    operand: Operand::Argument,
    ..NOTHING
};

static SED: Grammar = Grammar {
    flags: "bEnrsuz",
    attached: "i",
    valued: "el",
    scripts: "f",
    long_flags: &[
        "binary",
        "debug",
        "follow-symlinks",
        "in-place",
        "null-data",
        "posix",
        "quiet",
        "regexp-extended",
        "sandbox",
        "separate",
        "silent",
        "unbuffered",
        "zero-terminated",
    ],
    long_valued: &["expression", "line-length"],
    long_scripts: &["file"],
    operand: Operand::Target,
    ..NOTHING
};

impl Grammar {
    /// Returns the grammar of a program by its base name without a version.
    pub(super) fn of(name: &[u8]) -> Option<&'static Self> {
        Some(match name {
            b"sh" | b"bash" | b"dash" | b"zsh" | b"ksh" => &SHELL,
            b"python" | b"pypy" => &PYTHON,
            b"node" => &NODE,
            b"deno" => &DENO,
            b"bun" => &BUN,
            b"ruby" => &RUBY,
            b"perl" => &PERL,
            b"php" => &PHP,
            b"lua" | b"luajit" => &LUA,
            b"Rscript" => &RSCRIPT,
            b"julia" => &JULIA,
            b"make" | b"gmake" => &MAKE,
            b"awk" | b"gawk" | b"mawk" | b"nawk" => &AWK,
            b"sed" => &SED,
            _ => return None,
        })
    }
}
