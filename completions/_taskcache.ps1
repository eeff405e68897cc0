
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'taskcache' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'taskcache'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'taskcache' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('flow', 'flow', [CompletionResultType]::ParameterValue, 'Run a command as a flow, whose id and parameters nested runs can have in their keys')
            [CompletionResult]::new('transaction', 'transaction', [CompletionResultType]::ParameterValue, 'Store the results of nested runs together, or none of them')
            [CompletionResult]::new('context', 'context', [CompletionResultType]::ParameterValue, 'Print the run around this command as JSON')
            [CompletionResult]::new('local-cache', 'local-cache', [CompletionResultType]::ParameterValue, 'Show, clear and check the local store')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Report hits, misses and time saved')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show and check the configuration')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a commented taskcache.toml into the working directory')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page, or write all of them into a folder')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command, or replay its stored result')
            [CompletionResult]::new('key', 'key', [CompletionResultType]::ParameterValue, 'Print the key that a run would have')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say whether a command would hit, and why')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;flow' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name the flow')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Give the flow run a parameter')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Give the flow run a parameter')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;transaction' {
            [CompletionResult]::new('--isolation', '--isolation', [CompletionResultType]::ParameterName, 'Choose whether touched keys stay reserved until the end')
            [CompletionResult]::new('--on-commit', '--on-commit', [CompletionResultType]::ParameterName, 'Run a command after the commit, in the order given')
            [CompletionResult]::new('--on-rollback', '--on-rollback', [CompletionResultType]::ParameterName, 'Run a command after a rollback, in reverse order')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('begin', 'begin', [CompletionResultType]::ParameterValue, 'Begin a transaction across separate steps, and print its id')
            [CompletionResult]::new('commit', 'commit', [CompletionResultType]::ParameterValue, 'Make all that is staged in a transaction visible')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Drop all that is staged in a transaction')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the transactions that are not over')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;transaction;begin' {
            [CompletionResult]::new('--isolation', '--isolation', [CompletionResultType]::ParameterName, 'Choose whether touched keys stay reserved until the end')
            [CompletionResult]::new('--on-commit', '--on-commit', [CompletionResultType]::ParameterName, 'Run a command after the commit, in the order given')
            [CompletionResult]::new('--on-rollback', '--on-rollback', [CompletionResultType]::ParameterName, 'Run a command after a rollback, in reverse order')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('--expires', '--expires', [CompletionResultType]::ParameterName, 'Count it as abandoned after this long')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;transaction;commit' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;transaction;rollback' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;transaction;list' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write for people or for programs')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;transaction;help' {
            [CompletionResult]::new('begin', 'begin', [CompletionResultType]::ParameterValue, 'Begin a transaction across separate steps, and print its id')
            [CompletionResult]::new('commit', 'commit', [CompletionResultType]::ParameterValue, 'Make all that is staged in a transaction visible')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Drop all that is staged in a transaction')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the transactions that are not over')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;transaction;help;begin' {
            break
        }
        'taskcache;transaction;help;commit' {
            break
        }
        'taskcache;transaction;help;rollback' {
            break
        }
        'taskcache;transaction;help;list' {
            break
        }
        'taskcache;transaction;help;help' {
            break
        }
        'taskcache;context' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'taskcache;local-cache' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Remove entries, all of them unless a filter is given')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List entries, the latest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about an entry')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show what the store holds and what it saved')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove single entries')
            [CompletionResult]::new('gc', 'gc', [CompletionResultType]::ParameterValue, 'Bring the store within its limits')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Read everything and say what is wrong')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write entries into a file that another store can import')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take in entries that another store exported')
            [CompletionResult]::new('path', 'path', [CompletionResultType]::ParameterValue, 'Print the folder of the store')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;local-cache;clear' {
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Take only entries of this project; ''*'' stands for anything')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'Take only entries of this domain; ''*'' stands for anything')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Take only entries of this task; ''*'' stands for anything')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Take only entries of this task; ''*'' stands for anything')
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Take only entries older than this, such as 7d')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Say what would go, and leave it')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would go, and leave it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;list' {
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Take only entries of this project; ''*'' stands for anything')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'Take only entries of this domain; ''*'' stands for anything')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Take only entries of this task; ''*'' stands for anything')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Take only entries of this task; ''*'' stands for anything')
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Take only entries older than this, such as 7d')
            [CompletionResult]::new('--newer-than', '--newer-than', [CompletionResultType]::ParameterName, 'Take only entries newer than this, such as 2h')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'Take only entries that exited with one of these, such as 1-255')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Take only entries whose command has TEXT in it, in any case')
            [CompletionResult]::new('--search', '--search', [CompletionResultType]::ParameterName, 'Take only entries whose command has TEXT in it, in any case')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort by this, the latest, largest or most first')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'List at most N entries')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: on a terminal, or always, or never')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write for people or for programs')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Turn the order around')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Turn the order around')
            [CompletionResult]::new('--running', '--running', [CompletionResultType]::ParameterName, 'List what is being computed now, and by whom')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;show' {
            [CompletionResult]::new('--transcript', '--transcript', [CompletionResultType]::ParameterName, 'Print what the command printed instead, harmless on a terminal, raw elsewhere')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: on a terminal, or always, or never')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write for people or for programs')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;stats' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Count only the runs of this last time, such as 7d')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colours: on a terminal, or always, or never')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write for people or for programs')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;remove' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;gc' {
            [CompletionResult]::new('--max-size', '--max-size', [CompletionResultType]::ParameterName, 'Keep at most this many bytes of content, such as 5GiB')
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Keep nothing that was not used for this long, such as 30d')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Say what would go, and leave it')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would go, and leave it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;verify' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write for people or for programs')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('--repair', '--repair', [CompletionResultType]::ParameterName, 'Remove what cannot be trusted and write anew what can')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;export' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to FILE, ''-'' for standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to FILE, ''-'' for standard output')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Take only entries of this project; ''*'' stands for anything')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'Take only entries of this domain; ''*'' stands for anything')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Take only entries of this task; ''*'' stands for anything')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Take only entries of this task; ''*'' stands for anything')
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Take only entries older than this, such as 7d')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;import' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;path' {
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;local-cache;help' {
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Remove entries, all of them unless a filter is given')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List entries, the latest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about an entry')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show what the store holds and what it saved')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove single entries')
            [CompletionResult]::new('gc', 'gc', [CompletionResultType]::ParameterValue, 'Bring the store within its limits')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Read everything and say what is wrong')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write entries into a file that another store can import')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take in entries that another store exported')
            [CompletionResult]::new('path', 'path', [CompletionResultType]::ParameterValue, 'Print the folder of the store')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;local-cache;help;clear' {
            break
        }
        'taskcache;local-cache;help;list' {
            break
        }
        'taskcache;local-cache;help;show' {
            break
        }
        'taskcache;local-cache;help;stats' {
            break
        }
        'taskcache;local-cache;help;remove' {
            break
        }
        'taskcache;local-cache;help;gc' {
            break
        }
        'taskcache;local-cache;help;verify' {
            break
        }
        'taskcache;local-cache;help;export' {
            break
        }
        'taskcache;local-cache;help;import' {
            break
        }
        'taskcache;local-cache;help;path' {
            break
        }
        'taskcache;local-cache;help;help' {
            break
        }
        'taskcache;report' {
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write a page that needs nothing but itself to FILE, ''-'' for standard output')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print a summary for a CI page, or everything for programs')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Count only the runs of this last time, such as 7d')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Report the runs in a file of --events instead of the store, ''-'' for standard input')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Use the store in DIR')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;config' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print each option with its value and where it came from')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the config files, all tables of them')
            [CompletionResult]::new('path', 'path', [CompletionResultType]::ParameterValue, 'Print the config files that are read')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON schema of taskcache.toml, for editors')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;config;show' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Show what counts for this task')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Show what counts for this task')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;config;check' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;config;path' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;config;schema' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;config;help' {
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print each option with its value and where it came from')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the config files, all tables of them')
            [CompletionResult]::new('path', 'path', [CompletionResultType]::ParameterValue, 'Print the config files that are read')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON schema of taskcache.toml, for editors')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;config;help;show' {
            break
        }
        'taskcache;config;help;check' {
            break
        }
        'taskcache;config;help;path' {
            break
        }
        'taskcache;config;help;schema' {
            break
        }
        'taskcache;config;help;help' {
            break
        }
        'taskcache;init' {
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Print it instead of writing it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'taskcache;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'taskcache;run' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Name the task, which takes its settings from [task.NAME]')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Name the task, which takes its settings from [task.NAME]')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'Take defaults from the group [env.NAME]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Keep entries apart by project')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'Keep entries apart by domain')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Say the cache version, instead of deriving it from the source')
            [CompletionResult]::new('--cache-version', '--cache-version', [CompletionResultType]::ParameterName, 'Say the cache version, instead of deriving it from the source')
            [CompletionResult]::new('--behavior', '--behavior', [CompletionResultType]::ParameterName, 'Choose who says the version: the source, --version, or nobody')
            [CompletionResult]::new('--salt', '--salt', [CompletionResultType]::ParameterName, 'Use a separate key space for the same work')
            [CompletionResult]::new('--version-cmd', '--version-cmd', [CompletionResultType]::ParameterName, 'Make the output of a command part of the version')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Choose which ingredients make the key, as in ''INPUTS + TASK_SOURCE - debug''')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use a key of your own')
            [CompletionResult]::new('--key-cmd', '--key-cmd', [CompletionResultType]::ParameterName, 'Use what a command prints as the key; it reads the context as JSON')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--input-list', '--input-list', [CompletionResultType]::ParameterName, 'Read more input patterns from a file, one a line')
            [CompletionResult]::new('--value', '--value', [CompletionResultType]::ParameterName, 'Declare a literal input')
            [CompletionResult]::new('--input-cmd', '--input-cmd', [CompletionResultType]::ParameterName, 'Declare the output of a command as input')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out')
            [CompletionResult]::new('--pass-env', '--pass-env', [CompletionResultType]::ParameterName, 'Let the command see variables in strict mode, unkeyed')
            [CompletionResult]::new('--env-mode', '--env-mode', [CompletionResultType]::ParameterName, 'Choose which variables matter, and which ones the command sees')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads on standard input')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Choose how the working directory enters the key')
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'Keep a variable, an input, an option or a NAME=... word out of the key')
            [CompletionResult]::new('--depfile', '--depfile', [CompletionResultType]::ParameterName, 'Take further inputs from the dependency file that the command writes')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--output-mtime', '--output-mtime', [CompletionResultType]::ParameterName, 'Choose what times restored files get')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Choose what a hit prints')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Store how long the result is valid, as in 90s or 1d12h')
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Take nothing older than this')
            [CompletionResult]::new('--stale', '--stale', [CompletionResultType]::ParameterName, 'Replay what is older than this, and refresh it in the background')
            [CompletionResult]::new('--cache-exit', '--cache-exit', [CompletionResultType]::ParameterName, 'Keep results with these exit codes, as in 0,2-4 or any')
            [CompletionResult]::new('--failure-ttl', '--failure-ttl', [CompletionResultType]::ParameterName, 'Store how long a result with a non-zero exit code is valid')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Limit how long to wait for the other run')
            [CompletionResult]::new('--on-timeout', '--on-timeout', [CompletionResultType]::ParameterName, 'Choose what happens when the wait ends without a result')
            [CompletionResult]::new('--min-time', '--min-time', [CompletionResultType]::ParameterName, 'Do not store what ran faster than this')
            [CompletionResult]::new('--fail-mode', '--fail-mode', [CompletionResultType]::ParameterName, 'Choose what happens when the store cannot be used: run, or stop with 125')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Choose when to print a line about the outcome')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Append one JSON object a run to a file')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Keep the store in this folder')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this file instead of searching for taskcache.toml')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Expect NUL instead of line ends in input lists')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'Expect NUL instead of line ends in input lists')
            [CompletionResult]::new('--no-null', '--no-null', [CompletionResultType]::ParameterName, 'Undo --null')
            [CompletionResult]::new('--no-argument-inputs', '--no-argument-inputs', [CompletionResultType]::ParameterName, 'Do not take arguments that name files as inputs')
            [CompletionResult]::new('--argument-inputs', '--argument-inputs', [CompletionResultType]::ParameterName, 'Undo --no-argument-inputs')
            [CompletionResult]::new('--clean-outputs', '--clean-outputs', [CompletionResultType]::ParameterName, 'Empty the declared output folders before a run and before a restore')
            [CompletionResult]::new('--no-clean-outputs', '--no-clean-outputs', [CompletionResultType]::ParameterName, 'Undo --clean-outputs')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Fill or refresh in the background, print nothing, exit at once')
            [CompletionResult]::new('--no-warm', '--no-warm', [CompletionResultType]::ParameterName, 'Undo --warm')
            [CompletionResult]::new('--refresh', '--refresh', [CompletionResultType]::ParameterName, 'Run and overwrite what is stored; --no-refresh forbids it')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run and overwrite what is stored; --no-refresh forbids it')
            [CompletionResult]::new('--no-refresh', '--no-refresh', [CompletionResultType]::ParameterName, 'Undo --refresh')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Neither look up nor store')
            [CompletionResult]::new('--cache', '--cache', [CompletionResultType]::ParameterName, 'Undo --no-cache')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Look up, but do not store')
            [CompletionResult]::new('--no-read-only', '--no-read-only', [CompletionResultType]::ParameterName, 'Undo --read-only')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run; exit with 124 on a miss')
            [CompletionResult]::new('--no-cached-only', '--no-cached-only', [CompletionResultType]::ParameterName, 'Undo --cached-only')
            [CompletionResult]::new('--serialize', '--serialize', [CompletionResultType]::ParameterName, 'Let one run at a time compute a key; others wait and replay')
            [CompletionResult]::new('--no-serialize', '--no-serialize', [CompletionResultType]::ParameterName, 'Undo --serialize')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Run although there is an entry, and say what differs')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Undo --verify')
            [CompletionResult]::new('--paranoid', '--paranoid', [CompletionResultType]::ParameterName, 'Read every input and blob again, without a stat cache')
            [CompletionResult]::new('--no-paranoid', '--no-paranoid', [CompletionResultType]::ParameterName, 'Undo --paranoid')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Make warnings errors')
            [CompletionResult]::new('--no-strict', '--no-strict', [CompletionResultType]::ParameterName, 'Undo --strict')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'taskcache;key' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Name the task, which takes its settings from [task.NAME]')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Name the task, which takes its settings from [task.NAME]')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'Take defaults from the group [env.NAME]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Keep entries apart by project')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'Keep entries apart by domain')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Say the cache version, instead of deriving it from the source')
            [CompletionResult]::new('--cache-version', '--cache-version', [CompletionResultType]::ParameterName, 'Say the cache version, instead of deriving it from the source')
            [CompletionResult]::new('--behavior', '--behavior', [CompletionResultType]::ParameterName, 'Choose who says the version: the source, --version, or nobody')
            [CompletionResult]::new('--salt', '--salt', [CompletionResultType]::ParameterName, 'Use a separate key space for the same work')
            [CompletionResult]::new('--version-cmd', '--version-cmd', [CompletionResultType]::ParameterName, 'Make the output of a command part of the version')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Choose which ingredients make the key, as in ''INPUTS + TASK_SOURCE - debug''')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use a key of your own')
            [CompletionResult]::new('--key-cmd', '--key-cmd', [CompletionResultType]::ParameterName, 'Use what a command prints as the key; it reads the context as JSON')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--input-list', '--input-list', [CompletionResultType]::ParameterName, 'Read more input patterns from a file, one a line')
            [CompletionResult]::new('--value', '--value', [CompletionResultType]::ParameterName, 'Declare a literal input')
            [CompletionResult]::new('--input-cmd', '--input-cmd', [CompletionResultType]::ParameterName, 'Declare the output of a command as input')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out')
            [CompletionResult]::new('--pass-env', '--pass-env', [CompletionResultType]::ParameterName, 'Let the command see variables in strict mode, unkeyed')
            [CompletionResult]::new('--env-mode', '--env-mode', [CompletionResultType]::ParameterName, 'Choose which variables matter, and which ones the command sees')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads on standard input')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Choose how the working directory enters the key')
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'Keep a variable, an input, an option or a NAME=... word out of the key')
            [CompletionResult]::new('--depfile', '--depfile', [CompletionResultType]::ParameterName, 'Take further inputs from the dependency file that the command writes')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--output-mtime', '--output-mtime', [CompletionResultType]::ParameterName, 'Choose what times restored files get')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Choose what a hit prints')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Store how long the result is valid, as in 90s or 1d12h')
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Take nothing older than this')
            [CompletionResult]::new('--stale', '--stale', [CompletionResultType]::ParameterName, 'Replay what is older than this, and refresh it in the background')
            [CompletionResult]::new('--cache-exit', '--cache-exit', [CompletionResultType]::ParameterName, 'Keep results with these exit codes, as in 0,2-4 or any')
            [CompletionResult]::new('--failure-ttl', '--failure-ttl', [CompletionResultType]::ParameterName, 'Store how long a result with a non-zero exit code is valid')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Limit how long to wait for the other run')
            [CompletionResult]::new('--on-timeout', '--on-timeout', [CompletionResultType]::ParameterName, 'Choose what happens when the wait ends without a result')
            [CompletionResult]::new('--min-time', '--min-time', [CompletionResultType]::ParameterName, 'Do not store what ran faster than this')
            [CompletionResult]::new('--fail-mode', '--fail-mode', [CompletionResultType]::ParameterName, 'Choose what happens when the store cannot be used: run, or stop with 125')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Choose when to print a line about the outcome')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Append one JSON object a run to a file')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Keep the store in this folder')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this file instead of searching for taskcache.toml')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Expect NUL instead of line ends in input lists')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'Expect NUL instead of line ends in input lists')
            [CompletionResult]::new('--no-null', '--no-null', [CompletionResultType]::ParameterName, 'Undo --null')
            [CompletionResult]::new('--no-argument-inputs', '--no-argument-inputs', [CompletionResultType]::ParameterName, 'Do not take arguments that name files as inputs')
            [CompletionResult]::new('--argument-inputs', '--argument-inputs', [CompletionResultType]::ParameterName, 'Undo --no-argument-inputs')
            [CompletionResult]::new('--clean-outputs', '--clean-outputs', [CompletionResultType]::ParameterName, 'Empty the declared output folders before a run and before a restore')
            [CompletionResult]::new('--no-clean-outputs', '--no-clean-outputs', [CompletionResultType]::ParameterName, 'Undo --clean-outputs')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Fill or refresh in the background, print nothing, exit at once')
            [CompletionResult]::new('--no-warm', '--no-warm', [CompletionResultType]::ParameterName, 'Undo --warm')
            [CompletionResult]::new('--refresh', '--refresh', [CompletionResultType]::ParameterName, 'Run and overwrite what is stored; --no-refresh forbids it')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run and overwrite what is stored; --no-refresh forbids it')
            [CompletionResult]::new('--no-refresh', '--no-refresh', [CompletionResultType]::ParameterName, 'Undo --refresh')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Neither look up nor store')
            [CompletionResult]::new('--cache', '--cache', [CompletionResultType]::ParameterName, 'Undo --no-cache')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Look up, but do not store')
            [CompletionResult]::new('--no-read-only', '--no-read-only', [CompletionResultType]::ParameterName, 'Undo --read-only')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run; exit with 124 on a miss')
            [CompletionResult]::new('--no-cached-only', '--no-cached-only', [CompletionResultType]::ParameterName, 'Undo --cached-only')
            [CompletionResult]::new('--serialize', '--serialize', [CompletionResultType]::ParameterName, 'Let one run at a time compute a key; others wait and replay')
            [CompletionResult]::new('--no-serialize', '--no-serialize', [CompletionResultType]::ParameterName, 'Undo --serialize')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Run although there is an entry, and say what differs')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Undo --verify')
            [CompletionResult]::new('--paranoid', '--paranoid', [CompletionResultType]::ParameterName, 'Read every input and blob again, without a stat cache')
            [CompletionResult]::new('--no-paranoid', '--no-paranoid', [CompletionResultType]::ParameterName, 'Undo --paranoid')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Make warnings errors')
            [CompletionResult]::new('--no-strict', '--no-strict', [CompletionResultType]::ParameterName, 'Undo --strict')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'taskcache;explain' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Write for people or for programs')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Name the task, which takes its settings from [task.NAME]')
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Name the task, which takes its settings from [task.NAME]')
            [CompletionResult]::new('--environment', '--environment', [CompletionResultType]::ParameterName, 'Take defaults from the group [env.NAME]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'Keep entries apart by project')
            [CompletionResult]::new('--domain', '--domain', [CompletionResultType]::ParameterName, 'Keep entries apart by domain')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Say the cache version, instead of deriving it from the source')
            [CompletionResult]::new('--cache-version', '--cache-version', [CompletionResultType]::ParameterName, 'Say the cache version, instead of deriving it from the source')
            [CompletionResult]::new('--behavior', '--behavior', [CompletionResultType]::ParameterName, 'Choose who says the version: the source, --version, or nobody')
            [CompletionResult]::new('--salt', '--salt', [CompletionResultType]::ParameterName, 'Use a separate key space for the same work')
            [CompletionResult]::new('--version-cmd', '--version-cmd', [CompletionResultType]::ParameterName, 'Make the output of a command part of the version')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'Choose which ingredients make the key, as in ''INPUTS + TASK_SOURCE - debug''')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Use a key of your own')
            [CompletionResult]::new('--key-cmd', '--key-cmd', [CompletionResultType]::ParameterName, 'Use what a command prints as the key; it reads the context as JSON')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--input', '--input', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as input; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--input-list', '--input-list', [CompletionResultType]::ParameterName, 'Read more input patterns from a file, one a line')
            [CompletionResult]::new('--value', '--value', [CompletionResultType]::ParameterName, 'Declare a literal input')
            [CompletionResult]::new('--input-cmd', '--input-cmd', [CompletionResultType]::ParameterName, 'Declare the output of a command as input')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Declare environment variables that matter; ''*'' is a wildcard, ''!'' in front takes out')
            [CompletionResult]::new('--pass-env', '--pass-env', [CompletionResultType]::ParameterName, 'Let the command see variables in strict mode, unkeyed')
            [CompletionResult]::new('--env-mode', '--env-mode', [CompletionResultType]::ParameterName, 'Choose which variables matter, and which ones the command sees')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Choose what the command reads on standard input')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Choose how the working directory enters the key')
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'Keep a variable, an input, an option or a NAME=... word out of the key')
            [CompletionResult]::new('--depfile', '--depfile', [CompletionResultType]::ParameterName, 'Take further inputs from the dependency file that the command writes')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Declare a file, directory or glob as output; ''!'' in front takes out, ''?'' makes optional')
            [CompletionResult]::new('--output-mtime', '--output-mtime', [CompletionResultType]::ParameterName, 'Choose what times restored files get')
            [CompletionResult]::new('--replay', '--replay', [CompletionResultType]::ParameterName, 'Choose what a hit prints')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Store how long the result is valid, as in 90s or 1d12h')
            [CompletionResult]::new('--max-age', '--max-age', [CompletionResultType]::ParameterName, 'Take nothing older than this')
            [CompletionResult]::new('--stale', '--stale', [CompletionResultType]::ParameterName, 'Replay what is older than this, and refresh it in the background')
            [CompletionResult]::new('--cache-exit', '--cache-exit', [CompletionResultType]::ParameterName, 'Keep results with these exit codes, as in 0,2-4 or any')
            [CompletionResult]::new('--failure-ttl', '--failure-ttl', [CompletionResultType]::ParameterName, 'Store how long a result with a non-zero exit code is valid')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Limit how long to wait for the other run')
            [CompletionResult]::new('--on-timeout', '--on-timeout', [CompletionResultType]::ParameterName, 'Choose what happens when the wait ends without a result')
            [CompletionResult]::new('--min-time', '--min-time', [CompletionResultType]::ParameterName, 'Do not store what ran faster than this')
            [CompletionResult]::new('--fail-mode', '--fail-mode', [CompletionResultType]::ParameterName, 'Choose what happens when the store cannot be used: run, or stop with 125')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Choose when to print a line about the outcome')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Append one JSON object a run to a file')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Keep the store in this folder')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this file instead of searching for taskcache.toml')
            [CompletionResult]::new('--hit', '--hit', [CompletionResultType]::ParameterName, 'Tell what is not in the key of a hit and has changed since')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing; exit with 0 for a hit, 1 for a miss, 2 where the cache is not asked')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing; exit with 0 for a hit, 1 for a miss, 2 where the cache is not asked')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Expect NUL instead of line ends in input lists')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'Expect NUL instead of line ends in input lists')
            [CompletionResult]::new('--no-null', '--no-null', [CompletionResultType]::ParameterName, 'Undo --null')
            [CompletionResult]::new('--no-argument-inputs', '--no-argument-inputs', [CompletionResultType]::ParameterName, 'Do not take arguments that name files as inputs')
            [CompletionResult]::new('--argument-inputs', '--argument-inputs', [CompletionResultType]::ParameterName, 'Undo --no-argument-inputs')
            [CompletionResult]::new('--clean-outputs', '--clean-outputs', [CompletionResultType]::ParameterName, 'Empty the declared output folders before a run and before a restore')
            [CompletionResult]::new('--no-clean-outputs', '--no-clean-outputs', [CompletionResultType]::ParameterName, 'Undo --clean-outputs')
            [CompletionResult]::new('--warm', '--warm', [CompletionResultType]::ParameterName, 'Fill or refresh in the background, print nothing, exit at once')
            [CompletionResult]::new('--no-warm', '--no-warm', [CompletionResultType]::ParameterName, 'Undo --warm')
            [CompletionResult]::new('--refresh', '--refresh', [CompletionResultType]::ParameterName, 'Run and overwrite what is stored; --no-refresh forbids it')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Run and overwrite what is stored; --no-refresh forbids it')
            [CompletionResult]::new('--no-refresh', '--no-refresh', [CompletionResultType]::ParameterName, 'Undo --refresh')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'Neither look up nor store')
            [CompletionResult]::new('--cache', '--cache', [CompletionResultType]::ParameterName, 'Undo --no-cache')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Look up, but do not store')
            [CompletionResult]::new('--no-read-only', '--no-read-only', [CompletionResultType]::ParameterName, 'Undo --read-only')
            [CompletionResult]::new('--cached-only', '--cached-only', [CompletionResultType]::ParameterName, 'Never run; exit with 124 on a miss')
            [CompletionResult]::new('--no-cached-only', '--no-cached-only', [CompletionResultType]::ParameterName, 'Undo --cached-only')
            [CompletionResult]::new('--serialize', '--serialize', [CompletionResultType]::ParameterName, 'Let one run at a time compute a key; others wait and replay')
            [CompletionResult]::new('--no-serialize', '--no-serialize', [CompletionResultType]::ParameterName, 'Undo --serialize')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Run although there is an entry, and say what differs')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Undo --verify')
            [CompletionResult]::new('--paranoid', '--paranoid', [CompletionResultType]::ParameterName, 'Read every input and blob again, without a stat cache')
            [CompletionResult]::new('--no-paranoid', '--no-paranoid', [CompletionResultType]::ParameterName, 'Undo --paranoid')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Make warnings errors')
            [CompletionResult]::new('--no-strict', '--no-strict', [CompletionResultType]::ParameterName, 'Undo --strict')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'taskcache;help' {
            [CompletionResult]::new('flow', 'flow', [CompletionResultType]::ParameterValue, 'Run a command as a flow, whose id and parameters nested runs can have in their keys')
            [CompletionResult]::new('transaction', 'transaction', [CompletionResultType]::ParameterValue, 'Store the results of nested runs together, or none of them')
            [CompletionResult]::new('context', 'context', [CompletionResultType]::ParameterValue, 'Print the run around this command as JSON')
            [CompletionResult]::new('local-cache', 'local-cache', [CompletionResultType]::ParameterValue, 'Show, clear and check the local store')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Report hits, misses and time saved')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show and check the configuration')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a commented taskcache.toml into the working directory')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page, or write all of them into a folder')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run a command, or replay its stored result')
            [CompletionResult]::new('key', 'key', [CompletionResultType]::ParameterValue, 'Print the key that a run would have')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say whether a command would hit, and why')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'taskcache;help;flow' {
            break
        }
        'taskcache;help;transaction' {
            [CompletionResult]::new('begin', 'begin', [CompletionResultType]::ParameterValue, 'Begin a transaction across separate steps, and print its id')
            [CompletionResult]::new('commit', 'commit', [CompletionResultType]::ParameterValue, 'Make all that is staged in a transaction visible')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Drop all that is staged in a transaction')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the transactions that are not over')
            break
        }
        'taskcache;help;transaction;begin' {
            break
        }
        'taskcache;help;transaction;commit' {
            break
        }
        'taskcache;help;transaction;rollback' {
            break
        }
        'taskcache;help;transaction;list' {
            break
        }
        'taskcache;help;context' {
            break
        }
        'taskcache;help;local-cache' {
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Remove entries, all of them unless a filter is given')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List entries, the latest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about an entry')
            [CompletionResult]::new('stats', 'stats', [CompletionResultType]::ParameterValue, 'Show what the store holds and what it saved')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove single entries')
            [CompletionResult]::new('gc', 'gc', [CompletionResultType]::ParameterValue, 'Bring the store within its limits')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Read everything and say what is wrong')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write entries into a file that another store can import')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take in entries that another store exported')
            [CompletionResult]::new('path', 'path', [CompletionResultType]::ParameterValue, 'Print the folder of the store')
            break
        }
        'taskcache;help;local-cache;clear' {
            break
        }
        'taskcache;help;local-cache;list' {
            break
        }
        'taskcache;help;local-cache;show' {
            break
        }
        'taskcache;help;local-cache;stats' {
            break
        }
        'taskcache;help;local-cache;remove' {
            break
        }
        'taskcache;help;local-cache;gc' {
            break
        }
        'taskcache;help;local-cache;verify' {
            break
        }
        'taskcache;help;local-cache;export' {
            break
        }
        'taskcache;help;local-cache;import' {
            break
        }
        'taskcache;help;local-cache;path' {
            break
        }
        'taskcache;help;report' {
            break
        }
        'taskcache;help;config' {
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print each option with its value and where it came from')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the config files, all tables of them')
            [CompletionResult]::new('path', 'path', [CompletionResultType]::ParameterValue, 'Print the config files that are read')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON schema of taskcache.toml, for editors')
            break
        }
        'taskcache;help;config;show' {
            break
        }
        'taskcache;help;config;check' {
            break
        }
        'taskcache;help;config;path' {
            break
        }
        'taskcache;help;config;schema' {
            break
        }
        'taskcache;help;init' {
            break
        }
        'taskcache;help;completions' {
            break
        }
        'taskcache;help;man' {
            break
        }
        'taskcache;help;run' {
            break
        }
        'taskcache;help;key' {
            break
        }
        'taskcache;help;explain' {
            break
        }
        'taskcache;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
