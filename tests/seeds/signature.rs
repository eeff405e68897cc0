//! The rows of `docs/flyte.md` about the signature: whatever is declared otherwise misses, whatever the version says.

use crate::world::{World, each_way, nth};

/// Asserts that a task of one version misses when its declaration changes, and finds both results afterwards.
fn assert_other_signature(before: &str, after: &str) {
    for world in each_way() {
        world.env.write("data", "same");
        world.env.write("table", "same");
        let run = |world: &World, declaration: &str| {
            world.run(&format!("version = '1.0'\n{declaration}"), "-- ./work")
        };
        assert_eq!(run(&world, before), nth(1), "{before}");
        assert_eq!(run(&world, after), nth(2), "{after}");
        assert_eq!(run(&world, before), nth(1), "{before}");
        assert_eq!(run(&world, after), nth(2), "{after}");
    }
}

#[test]
fn input_added() {
    assert_other_signature("values = ['n=2']", "values = ['n=2', 'm=2']");
    assert_other_signature("", "inputs = ['data']");
}

#[test]
fn input_removed() {
    assert_other_signature("values = ['n=2', 'm=2']", "values = ['n=2']");
    assert_other_signature("inputs = ['data', 'table']", "inputs = ['data']");
}

#[test]
fn input_renamed() {
    assert_other_signature("values = ['n=2']", "values = ['number=2']");
    assert_other_signature("inputs = ['rows=data']", "inputs = ['lines=data']");
}

#[test]
fn input_of_another_kind() {
    assert_other_signature("values = ['data=same']", "inputs = ['data=data']");
    assert_other_signature("values = ['data=same']", "input_cmds = ['data=printf same']");
    assert_other_signature("inputs = ['data']", "inputs = ['?data']");
}

#[test]
fn output_added() {
    assert_other_signature("", "outputs = ['?model']");
    assert_other_signature("outputs = ['?model']", "outputs = ['?model', '?log']");
}

#[test]
fn output_removed() {
    assert_other_signature("outputs = ['?model', '?log']", "outputs = ['?model']");
}

#[test]
fn output_renamed() {
    assert_other_signature("outputs = ['model=?out']", "outputs = ['weights=?out']");
}

#[test]
fn output_of_another_kind() {
    assert_other_signature("outputs = ['?model']", "outputs = ['?model/**']");
    assert_other_signature("outputs = ['?model']", "outputs = ['?model', '!model/log']");
}

#[test]
fn ignored_inputs_stay_in_the_signature() {
    assert_other_signature(
        "values = ['n=2', 'debug=1']\nignores = ['debug']",
        "values = ['n=2']\nignores = ['debug']",
    );
    assert_other_signature("values = ['n=2', 'debug=1']", "values = ['n=2', 'debug=1']\nignores = ['debug']");
}
