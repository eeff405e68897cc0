//! Closing what a process inherited. The one place in the project with `unsafe`.
//!
//! The standard library opens everything so that it is closed on exec, but whoever called us may not have: a shell
//! hands on its redirections, make its job server, a test its pipes. A process in the background that keeps them
//! open keeps their other ends waiting.
//!
//! # Why `unsafe`
//!
//! To close a descriptor by its number is unsafe, because some object of the program may own it. There is no safe
//! way to name a descriptor that nobody in the program owns, and marking it close-on-exec has the same difficulty.

/// Closes every descriptor above the standard streams. To be called first of all, while nothing in this process owns
/// one.
pub fn close_inherited() {
    let Ok(folder) = std::fs::read_dir("/dev/fd") else { return };
    let numbers: Vec<i32> = folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    // The listing had a descriptor of its own, which is closed by now; looking at a link opens none.
    let is_open = |number: &i32| std::fs::symlink_metadata(format!("/dev/fd/{number}")).is_ok();
    for number in numbers.into_iter().filter(is_open) {
        // SAFETY: the caller's promise is that no object of this process owns a descriptor above 2. That of the
        // listing was closed when `folder` was consumed, and nothing was opened since, so the number is that of an
        // inherited descriptor which nobody in this process knows of.
        #[expect(
            unsafe_code,
            reason = "a descriptor that nobody in this process owns can be closed in no other way"
        )]
        unsafe {
            rustix::io::close(number);
        }
    }
}
