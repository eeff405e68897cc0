//! What is in the index, as candidates for somebody who types: tasks, and keys by their first digits.

use super::StoreError;
use super::index::{Index, blob, key_of};
use crate::model::digest::Digest;
use crate::model::fingerprint::CacheKey;

impl Index {
    /// Returns each task that has a result, once, in the order of its bytes.
    pub fn tasks(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let failed = self.failed("list tasks");
        let mut query =
            self.connection().prepare("SELECT DISTINCT task FROM entry ORDER BY task").map_err(&failed)?;
        let tasks = query.query_map([], |row| row.get(0)).map_err(&failed)?;
        tasks.collect::<Result<_, _>>().map_err(failed)
    }

    /// Returns at most so many keys that begin with these hex digits, in their order, each with its task. Any number
    /// of digits will do, none too; something else begins no key.
    pub fn keys_like(&self, digits: &str, most: u32) -> Result<Vec<(CacheKey, Vec<u8>)>, StoreError> {
        let length = 2 * Digest::LENGTH;
        let filled = |fill: &str| -> Option<CacheKey> {
            let missing = length.checked_sub(digits.len())?;
            format!("{}{}", digits.to_ascii_lowercase(), fill.repeat(missing)).parse().ok()
        };
        let (Some(low), Some(high)) = (filled("0"), filled("f")) else { return Ok(Vec::new()) };
        let failed = self.failed("look up keys");
        let mut query = self
            .connection()
            .prepare("SELECT key, task FROM entry WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3")
            .map_err(&failed)?;
        let keys = query
            .query_map((blob(&low), blob(&high), most), |row| Ok((key_of(row.get(0)?), row.get(1)?)))
            .map_err(&failed)?;
        keys.collect::<Result<_, _>>().map_err(failed)
    }
}
