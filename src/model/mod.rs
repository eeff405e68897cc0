//! Floor 0: values and rules, pure. No clock, no file, no environment, no printing.

pub mod admission;
pub mod codec;
pub mod depfile;
pub mod digest;
pub mod doubt;
pub mod entry;
pub mod environment;
pub mod exchange;
pub mod exit_codes;
pub mod fingerprint;
pub mod ignore;
pub mod interpreter;
pub mod locking;
pub mod nearest;
pub mod output;
pub mod path;
pub mod path_set;
pub mod pattern;
pub mod policy;
pub mod retention;
pub mod time;
pub mod volatility;
