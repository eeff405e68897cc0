//! Floor 4: events and rows to words, JSON and pages.

pub mod advice;
pub mod command_line;
pub mod entry;
pub mod event_log;
pub mod explanation;
pub mod explanation_json;
pub mod listing;
pub mod moment;
pub mod output_tree;
pub mod overview;
pub mod progress;
pub mod reporter;
pub mod running;
pub mod screen;
pub mod table;
pub mod visible;
