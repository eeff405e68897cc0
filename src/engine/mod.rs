//! Floor 3: plan, look up, then restore and replay, or execute and record.
//!
//! The engine prints nothing and has no words: it tells what happens as [`event::Event`]s.

pub mod around;
pub mod bypass;
pub mod capture;
pub mod cleaning;
pub mod comparison;
pub mod context;
mod copying;
pub mod event;
pub mod explain;
pub mod flow;
mod foresight;
pub mod hit;
pub mod inputs;
pub mod key;
pub mod lookup;
pub mod miss;
pub mod outputs;
pub mod plan;
pub mod record;
pub mod reserve;
pub mod restore;
pub mod run;
pub mod source;
pub mod stdin;
pub mod survey;
mod swapping;
pub mod transaction;
pub mod watch;
