//! Which refused requests are written down: those that are alike once in ten minutes with how many they were, and
//! of all together so few that they never push out what operators did.
//!
//! Knows neither clock nor trail: whoever asks says what time it is, and writes what comes out.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Refusals that are alike within this time are one entry.
pub(super) const WINDOW: Duration = Duration::from_mins(10);
/// So many entries may come at once.
const AT_ONCE: f64 = 60.0;
/// And so many a second in the long run, which is 288 a day: in 16 MiB there is room for months of them.
const A_SECOND: f64 = 1.0 / 300.0;
/// So many kinds are told apart at a time.
const MOST_KINDS: usize = 1000;

/// What makes refusals alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// From where.
    pub(super) address: Option<IpAddr>,
    /// The token's name, where one was good.
    pub(super) by: Option<String>,
    /// Why, in the words of the answer's `code`.
    pub(super) code: &'static str,
}

/// A refusal, or several that are alike.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told<T> {
    /// The last of them.
    pub(super) refused: T,
    /// How many there were.
    pub(super) times: u64,
}

/// What was refused lately.
#[derive(Debug)]
pub(super) struct Refusals<T> {
    /// What came after the first of its kind, which was told at once.
    recent: HashMap<Kind, Option<Told<T>>>,
    allowance: f64,
    refilled: Option<Instant>,
    /// How many were told nowhere.
    left_out: u64,
}

impl<T> Default for Refusals<T> {
    fn default() -> Self {
        Self {
            recent: HashMap::new(),
            allowance: AT_ONCE,
            refilled: None,
            left_out: 0,
        }
    }
}

impl<T> Refusals<T> {
    /// Takes one; returns what is to be written now, if anything, and how many were left out before.
    pub(super) fn refused(&mut self, now: Instant, kind: Kind, refused: T) -> Option<(T, u64)> {
        if let Some(known) = self.recent.get_mut(&kind) {
            let times = known.as_ref().map_or(0, |told| told.times) + 1;
            *known = Some(Told { refused, times });
            return None;
        }
        if self.recent.len() >= MOST_KINDS || !self.may_tell(now) {
            self.left_out += 1;
            return None;
        }
        self.recent.insert(kind, None);
        Some((refused, std::mem::take(&mut self.left_out)))
    }

    /// A window is over: what is to be written of what came within it, and how many were left out.
    pub(super) fn end_window(&mut self, now: Instant) -> (Vec<Told<T>>, u64) {
        let mut told = Vec::new();
        for (_, more) in std::mem::take(&mut self.recent) {
            let Some(more) = more else { continue };
            if self.may_tell(now) {
                told.push(more);
            } else {
                self.left_out += more.times;
            }
        }
        // They are told with the others, or with an entry of their own.
        let left_out = if told.is_empty() && (self.left_out == 0 || !self.may_tell(now)) {
            0
        } else {
            std::mem::take(&mut self.left_out)
        };
        (told, left_out)
    }

    /// There is no other window: what is to be written, and how many were left out of that, all of them.
    pub(super) fn close(&mut self, now: Instant) -> (Vec<Told<T>>, u64) {
        let (told, left_out) = self.end_window(now);
        (told, left_out + std::mem::take(&mut self.left_out))
    }

    /// Whether there is something that only the end of a window tells.
    pub(super) fn is_waiting(&self) -> bool {
        !self.recent.is_empty() || self.left_out > 0
    }

    fn may_tell(&mut self, now: Instant) -> bool {
        let before = self.refilled.replace(now).unwrap_or(now);
        let secs = now.saturating_duration_since(before).as_secs_f64();
        self.allowance = (self.allowance + secs * A_SECOND).min(AT_ONCE);
        let may = self.allowance >= 1.0;
        if may {
            self.allowance -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(last: u8, code: &'static str) -> Kind {
        Kind {
            address: Some(IpAddr::from([10, 0, 0, last])),
            by: None,
            code,
        }
    }

    #[test]
    fn those_that_are_alike_are_one_entry_now_and_one_at_the_end() {
        let mut refusals = Refusals::default();
        let now = Instant::now();
        assert_eq!(refusals.refused(now, kind(1, "a"), 1), Some((1, 0)));
        for number in 2..=100 {
            assert_eq!(refusals.refused(now, kind(1, "a"), number), None);
        }
        assert_eq!(refusals.refused(now, kind(1, "b"), 7), Some((7, 0)));
        assert_eq!(refusals.refused(now, kind(2, "a"), 8), Some((8, 0)));
        let all = Told {
            refused: 100,
            times: 99,
        };
        assert_eq!(refusals.end_window(now + WINDOW), (vec![all], 0));
        assert!(!refusals.is_waiting());
        assert_eq!(
            refusals.refused(now + WINDOW, kind(1, "a"), 9),
            Some((9, 0))
        );
    }

    /// A flood from many addresses for a day: few entries, and none of its requests is lost from the count.
    #[test]
    fn a_flood_is_counted_and_not_written_down() {
        let mut refusals = Refusals::default();
        let start = Instant::now();
        let (mut entries, mut counted, mut sent) = (0, 0, 0);
        for window in 0..144 {
            let now = start + WINDOW * window;
            for address in 0..5000_u32 {
                let address = Some(IpAddr::from((0x0a00_0000 + address).to_be_bytes()));
                sent += 2;
                for _ in 0..2 {
                    let kind = Kind {
                        address,
                        ..kind(0, "bad_token")
                    };
                    if let Some((_, left_out)) = refusals.refused(now, kind, ()) {
                        entries += 1;
                        counted += 1 + left_out;
                    }
                }
            }
            let (told, left_out) = refusals.end_window(now + WINDOW);
            entries += told.len();
            counted += told.iter().map(|told| told.times).sum::<u64>() + left_out;
        }
        assert!(entries < 60 + 2 * 144 + 10, "{entries}");
        assert_eq!(counted + refusals.left_out, sent);
        // The end of the server tells it, too.
        let mut stopped = Refusals::<()> {
            left_out: 7,
            allowance: 0.0,
            ..Refusals::default()
        };
        assert_eq!(stopped.close(start), (Vec::new(), 7));
        // What is left is told when there is room again.
        let later = start + WINDOW * 200;
        let left = refusals.left_out;
        assert_eq!(refusals.end_window(later), (Vec::new(), left));
        assert!(!refusals.is_waiting());
    }
}
