//! Where memory comes from, where the C library's own source is slow.
//!
//! musl hands out small blocks from groups that it asks the kernel for one by one: a small hit made 40 calls for
//! memory, and each group brought new pages with it. One block that grows takes a fifth off such a hit, which is
//! why the program brings an allocator along there. SQLite, being C, keeps musl's.
//!
//! glibc's allocator is as good for what we do, and stays.

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
