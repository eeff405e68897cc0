//! The `taskcache` program.

fn main() {}
