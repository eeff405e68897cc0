//! Sets of exit codes, as in `--cache-exit 0,2-4`.

use super::path::printable;
use std::fmt;
use std::str::FromStr;

/// A set of exit codes from 0 to 255.
#[derive(Clone, PartialEq, Eq)]
pub struct ExitCodes([bool; 256]);

impl ExitCodes {
    /// Returns the set of all exit codes.
    pub const fn any() -> Self {
        Self([true; 256])
    }

    /// Returns whether the set has `code`.
    pub const fn contains(&self, code: u8) -> bool {
        self.0[code as usize]
    }
}

impl Default for ExitCodes {
    /// Returns the set of 0 alone.
    fn default() -> Self {
        let mut codes = [false; 256];
        codes[0] = true;
        Self(codes)
    }
}

impl fmt::Display for ExitCodes {
    /// Writes the shortest form that parses to the same set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|kept| *kept) {
            return f.write_str("any");
        }
        let mut runs = Vec::new();
        let mut code = 0;
        while code < self.0.len() {
            let length = self.0[code..].iter().take_while(|kept| **kept).count();
            match length {
                0 => {}
                1 => runs.push(code.to_string()),
                _ => runs.push(format!("{code}-{}", code + length - 1)),
            }
            code += length.max(1);
        }
        f.write_str(&runs.join(","))
    }
}

impl fmt::Debug for ExitCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExitCodes({self})")
    }
}

/// A text that is no set of exit codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no list of exit codes (write codes and ranges from 0 to 255, such as 0,2-4, or 'any')")]
pub struct ParseExitCodesError(String);

impl FromStr for ExitCodes {
    type Err = ParseExitCodesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "any" {
            return Ok(Self([true; 256]));
        }
        let refuse = || ParseExitCodesError(printable(text.as_bytes()));
        let mut codes = [false; 256];
        for item in text.split(',') {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let code = |text: &str| text.trim().parse::<u8>().map_err(|_| refuse());
            let (first, last) = (code(first)?, code(last)?);
            if first > last {
                return Err(refuse());
            }
            codes[usize::from(first)..=usize::from(last)].fill(true);
        }
        Ok(Self(codes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_go_round_in_their_shortest_form() {
        for (text, shown) in [
            ("0", "0"),
            ("0,1", "0-1"),
            ("0-3", "0-3"),
            ("5, 1-2 ,0", "0-2,5"),
            ("any", "any"),
            ("0-255", "any"),
            ("255", "255"),
        ] {
            assert_eq!(text.parse::<ExitCodes>().unwrap().to_string(), shown, "{text}");
        }
        assert_eq!(ExitCodes::default().to_string(), "0");
        let codes: ExitCodes = "0,2-4".parse().unwrap();
        assert_eq!([0, 1, 2, 4, 5].map(|code| codes.contains(code)), [true, false, true, true, false]);
    }

    #[test]
    fn what_is_no_set() {
        for text in ["", "256", "-1", "3-1", "0,,1", "a", "0-", "any,1"] {
            assert!(text.parse::<ExitCodes>().is_err(), "{text}");
        }
    }
}
