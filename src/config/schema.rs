//! The JSON schema of `taskcache.toml`, for editors that complete and check while one types.
//!
//! It is built from the table of options, so it knows exactly the keys that [`super::document`] takes. What a text
//! means, such as a length of time, is left to `config check`: a schema that knew half of the grammar would refuse what
//! the program takes.

use super::document::STORE_KEYS;
use super::options::{Kind, OPTIONS, OptionRow, Place};
use crate::model::locking::LockMeans;
use serde_json::{Map, Value, json};

/// Returns the schema.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    for row in OPTIONS {
        if let Some(key) = row.key() {
            definitions.insert(key, definition(row));
        }
        if let Some(key) = row.undoing_key() {
            let says = format!("Undo {}", row.key().unwrap_or_default());
            definitions.insert(key, json!({ "type": "boolean", "description": says }));
        }
    }
    let command = json!({
        "description": "What 'taskcache run --task NAME' runs: words, or a text for 'sh -c'",
        "anyOf": [
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            { "type": "string", "minLength": 1 },
        ],
    });
    let policy = json!({
        "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": { "expression": { "type": "string" } },
                "required": ["expression"],
                "additionalProperties": false,
            },
        ],
    });
    let store = STORE_KEYS.map(|key| (key.to_owned(), store_definition(key)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "taskcache.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "defaults": table("What counts for every task", references(true)),
            "task": tables("Tasks by name", {
                let mut keys = references(true);
                keys.insert("command".to_owned(), command);
                table("What counts for one task", keys)
            }),
            "env": tables("Groups of defaults by name, chosen by --environment",
                table("What counts in one environment", references(false))),
            "policy": tables("Policies by name: which ingredients make the key", policy),
            "store": table("Where the store is, how large it may grow, and how it is shared", Map::from_iter(store)),
        },
        "$defs": definitions,
    })
}

/// Returns a reference to each key of a table of options.
fn references(with_environment: bool) -> Map<String, Value> {
    let rows = OPTIONS.iter().filter(|row| with_environment || row.place != Place::AboveEnvironments);
    let keys = rows.flat_map(|row| [row.key(), row.undoing_key()]).flatten();
    keys.map(|key| {
        let reference = json!({ "$ref": format!("#/$defs/{key}") });
        (key, reference)
    })
    .collect()
}

fn definition(row: &OptionRow) -> Value {
    let mut definition = match row.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::List => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Choice(words) => json!({ "enum": words }),
    };
    definition["description"] = row.help.into();
    if let Some(built_in) = row.built_in {
        definition["default"] = built_in.into();
    }
    definition
}

fn store_definition(key: &str) -> Value {
    let says = match key {
        "locks" => {
            return json!({
                "enum": LockMeans::NAMES,
                "default": LockMeans::default().name(),
                "description": "What one run at a time rests on: the kernel's locks or leases",
            });
        }
        "lease" => "How long a lease is valid unless it is renewed, such as 10s",
        "dir" => "The folder, relative to this file; '~' in front is the home folder",
        "max_size" => "How many bytes of content it may hold, such as 10GiB",
        _ => "How long an entry may lie unused, such as 30d",
    };
    json!({ "type": "string", "description": says })
}

fn table(says: &str, properties: Map<String, Value>) -> Value {
    json!({
        "type": "object",
        "description": says,
        "additionalProperties": false,
        "properties": properties,
    })
}

fn tables(says: &str, each: Value) -> Value {
    json!({ "type": "object", "description": says, "additionalProperties": each })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::document;
    use std::path::Path;

    fn keys(schema: &Value, pointer: &str) -> Vec<String> {
        schema.pointer(pointer).and_then(Value::as_object).unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_row_is_a_key_exactly_once() {
        let schema = schema();
        let expected: Vec<String> =
            OPTIONS.iter().flat_map(|row| [row.key(), row.undoing_key()]).flatten().collect();
        assert_eq!(keys(&schema, "/$defs"), expected);
        assert_eq!(keys(&schema, "/properties/defaults/properties"), expected);
        let task = keys(&schema, "/properties/task/additionalProperties/properties");
        assert_eq!((task.len(), task.last().map(String::as_str)), (expected.len() + 1, Some("command")));
        let environment = keys(&schema, "/properties/env/additionalProperties/properties");
        assert_eq!(environment.len(), expected.len() - 1);
        let outside: Vec<_> = OPTIONS.iter().filter(|row| row.key().is_none()).map(|row| row.long).collect();
        assert_eq!(outside, ["task", "cache-dir", "config"]);
    }

    #[test]
    fn the_schema_and_the_reader_know_the_same_keys() {
        let schema = schema();
        for (header, pointer) in [
            ("defaults", "/properties/defaults/properties"),
            ("task.x", "/properties/task/additionalProperties/properties"),
            ("env.x", "/properties/env/additionalProperties/properties"),
            ("store", "/properties/store/properties"),
        ] {
            for key in keys(&schema, pointer) {
                let definition = &schema["$defs"][&key];
                let value = match definition["type"].as_str() {
                    Some("boolean") => "true",
                    Some("array") => "['x']",
                    _ => "'x'",
                };
                let text = format!("[{header}]\n{key} = {value}\n");
                let read = document::parse(text.as_bytes(), Path::new("x"), None);
                assert!(read.is_ok(), "{text} {read:?}");
            }
        }
        assert_eq!(schema["$defs"]["stdin"]["enum"], json!(["null", "hash", "inherit"]));
        assert_eq!(schema["$defs"]["stdin"]["default"], "null");
    }
}
