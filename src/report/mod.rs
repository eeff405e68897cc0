//! Floor 4: events and rows to words, JSON and pages.

pub mod entry;
pub mod event_log;
pub mod progress;
pub mod reporter;
pub mod running;
pub mod table;
