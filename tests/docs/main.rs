//! The documents say what the program does: their sessions run, their lists are complete, their tables are current.

mod generated;
mod reference;
mod session;

use session::{Session, blocks, is_there, matches, read, steps};

/// Returns the name of every document.
fn documents() -> Vec<String> {
    let folder = std::fs::read_dir(session::file("docs")).expect("there are documents");
    let names = folder.map(|entry| entry.expect("docs can be listed").file_name());
    let mut names: Vec<_> = names.map(|name| format!("docs/{}", name.to_string_lossy())).collect();
    names.retain(|name| name.ends_with(".md"));
    names.push("README.md".into());
    names.sort();
    names
}

/// Runs the sessions of a document; returns what differs.
fn faults(name: &str, text: &str) -> Vec<String> {
    let mut session = Session::new();
    let mut faults = Vec::new();
    for block in blocks(text) {
        let Some(("console", programs)) = block.marks.split_first().map(|(mark, rest)| (mark.as_str(), rest))
        else {
            continue;
        };
        if !programs.iter().all(|program| is_there(program)) {
            continue;
        }
        let steps = steps(&block);
        for (at, step) in steps.iter().enumerate() {
            let actual = session.run(&step.command);
            if !matches(&step.expected, &actual) {
                let (expected, actual) = (step.expected.join("\n"), actual.join("\n"));
                faults.push(format!(
                    "{name}:{}: $ {}\n--- expected\n{expected}\n--- printed\n{actual}",
                    step.line, step.command
                ));
            }
            let looked_at = steps.get(at + 1).is_some_and(|next| next.command.contains("$?"));
            if session.last() != 0 && !looked_at {
                faults.push(format!("{name}:{}: exits with {}", step.line, session.last()));
            }
        }
    }
    faults
}

#[test]
fn every_session_prints_what_its_document_says() {
    // Each has a home of its own, so they need not wait for each other.
    let faults: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> =
            documents().into_iter().map(|name| scope.spawn(move || faults(&name, &read(&name)))).collect();
        runs.into_iter().flat_map(|run| run.join().expect("a session does not panic")).collect()
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
}

#[test]
fn every_link_leads_somewhere_and_the_readme_to_every_document() {
    let mut from_readme = Vec::new();
    for name in documents() {
        let (folder, text) = (name.rsplit_once('/').map_or("", |(folder, _)| folder), read(&name));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if link.contains("://") || path.is_empty() {
                continue;
            }
            assert!(session::file(folder).join(path).exists(), "{name} links to '{link}'");
            if name == "README.md" {
                from_readme.push(path.to_owned());
            }
        }
    }
    for name in documents().iter().filter(|name| name.starts_with("docs/")) {
        assert!(from_readme.contains(name), "README.md does not link to {name}");
    }
}

#[test]
fn a_wrong_session_is_found() {
    let right = "```console\n$ echo a b\na [..]\n$ printf 'x\\ny\\n'\n...\ny\n$ false\n$ echo $?\n1\n```\n";
    assert_eq!(faults("x", right), [""; 0]);
    for wrong in
        ["```console\n$ echo a\nb\n```\n", "```console\n$ echo a\n```\n", "```console\n$ false\n```\n"]
    {
        assert_eq!(faults("x", wrong).len(), 1, "{wrong}");
    }
}
