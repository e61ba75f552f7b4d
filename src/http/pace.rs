//! When the next request may go, so that a service's limits are kept before they are hit. Pure: the time is an argument.
//!
//! Limits that answers tell of are counted down. The others are learned: a request that was refused for being one too many
//! closes the road for all, and what was answered in the minute before is what a minute holds, because limits that no
//! header tells of are per minute. A minute that went well holds more the next time: to be refused once more costs little,
//! to wait for nothing costs a minute.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::told::{Limit, Told};

/// What limits that no header tells of are counted over.
const WINDOW: Duration = Duration::from_mins(1);

/// Resets nearer to one another than this are the same one: they are told in whole seconds.
const SAME_RESET: SignedDuration = SignedDuration::from_secs(2);

/// When a minute ends is told in whole seconds, rounded up.
const ROUNDED: Duration = Duration::from_secs(1);

/// No limit is learned that is larger.
const MOST_REMEMBERED: usize = 4_096;

/// What is known of the limits of a service.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Sent, and not answered yet.
    under_way: u64,
    told: Vec<Counted>,
    closed_until: Option<Timestamp>,
    /// When the requests of the last minute were answered.
    answered: VecDeque<Timestamp>,
    learned: Option<Learned>,
}

/// A limit that answers tell of.
#[derive(Debug)]
struct Counted {
    name: String,
    /// The least that was told to be left. What is under way comes off it.
    left: u64,
    resets_at: Timestamp,
}

/// A limit that no header tells of.
#[derive(Debug, Clone, Copy)]
struct Learned {
    /// What a minute held when it was found out.
    measured: u64,
    /// Whether it was found out twice. Once may be the rest of a minute, or what others left of it.
    sure: bool,
    allowance: u64,
    since: Timestamp,
    /// Sent since then.
    sent: u64,
}

/// When a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It counts as sent.
    Now,
    At(Timestamp),
    /// When one of those under way has been answered.
    AfterAnother,
    /// Not within the time that may be waited.
    Closed(Timestamp),
}

/// How a request that went came back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Return<'a> {
    Answered(&'a Told),
    /// The service wants to be left alone for so long.
    Refused {
        told: &'a Told,
        wait: Duration,
        /// It was one request too many, and not some other trouble.
        limited: bool,
    },
    /// Nobody knows whether it was counted.
    Lost,
}

impl Learned {
    /// The next minute.
    fn anew(self, now: Timestamp) -> Self {
        let more = match (self.sent >= self.allowance, self.sure) {
            (false, _) => 0,
            (true, true) => self.allowance / 8 + 1,
            (true, false) => self.allowance,
        };
        Self { allowance: self.allowance.saturating_add(more), since: now, sent: 0, ..self }
    }
}

impl Pace {
    /// Asks for a turn. Only waits up to `max_wait` are worth keeping a limit for: beyond that the service is asked, and
    /// says itself until when it is closed.
    pub(super) fn turn(&mut self, now: Timestamp, max_wait: Duration) -> Turn {
        if let Some(until) = self.closed_until.filter(|until| now < *until) {
            let wait = until.duration_since(now).unsigned_abs();
            return if wait > max_wait { Turn::Closed(until) } else { Turn::At(until) };
        }
        self.told.retain(|limit| now < limit.resets_at);
        let worth_it = |limit: &&Counted| limit.resets_at.duration_since(now).unsigned_abs() <= max_wait;
        let used_up = self.told.iter().filter(worth_it).filter(|limit| limit.left <= self.under_way);
        if let Some(resets_at) = used_up.map(|limit| limit.resets_at).max() {
            return if self.under_way > 0 { Turn::AfterAnother } else { Turn::At(resets_at) };
        }
        if let Some(learned) = &mut self.learned {
            let over = after(learned.since, WINDOW);
            if now >= over {
                *learned = learned.anew(now);
            } else if learned.sent >= learned.allowance && over.duration_since(now).unsigned_abs() <= max_wait {
                return Turn::At(over);
            }
            learned.sent += 1;
        }
        self.under_way += 1;
        Turn::Now
    }

    /// Takes back what a turn has counted, and learns from what the answer says.
    pub(super) fn returned(&mut self, how: Return<'_>, now: Timestamp) {
        self.under_way = self.under_way.saturating_sub(1);
        match how {
            Return::Answered(told) => {
                self.count(told, now);
                self.forget_before(before(now, WINDOW));
                if self.answered.len() < MOST_REMEMBERED {
                    self.answered.push_back(now);
                }
            }
            Return::Refused { told, wait, limited } => {
                self.count(told, now);
                self.close(now, wait, limited);
            }
            Return::Lost => {
                for limit in &mut self.told {
                    limit.left = limit.left.saturating_sub(1);
                }
            }
        }
    }

    fn count(&mut self, told: &Told, now: Timestamp) {
        for Limit { name, remaining, reset } in &told.limits {
            let resets_at = after(now, *reset);
            match self.told.iter_mut().find(|limit| limit.name == *name) {
                Some(known) if known.resets_at.duration_since(resets_at).abs() <= SAME_RESET => {
                    known.left = known.left.min(*remaining);
                }
                // An answer that was overtaken tells of what is past.
                Some(known) if resets_at < known.resets_at && now < known.resets_at => {}
                Some(known) => (known.left, known.resets_at) = (*remaining, resets_at),
                None => self.told.push(Counted { name: name.clone(), left: *remaining, resets_at }),
            }
        }
    }

    fn close(&mut self, now: Timestamp, wait: Duration, limited: bool) {
        let until = after(now, wait);
        let closed_already = self.closed_until.is_some_and(|closed| now < closed);
        self.closed_until = self.closed_until.max(Some(until));
        if wait > WINDOW || !limited {
            return;
        }
        self.forget_before(before(until, WINDOW + ROUNDED));
        if closed_already || self.answered.is_empty() {
            // Sent before the road was closed, or before anything was answered: this says nothing new of what a minute
            // holds.
            if let Some(learned) = &mut self.learned {
                learned.since = learned.since.max(until);
            }
            return;
        }
        let measured = u64::try_from(self.answered.len()).unwrap_or(u64::MAX);
        let sure = self.learned.is_some_and(|learned| learned.measured.abs_diff(measured) <= measured / 4);
        let learned = Learned { measured, sure, allowance: measured, since: until, sent: 0 };
        self.learned = (self.answered.len() < MOST_REMEMBERED).then_some(learned);
    }

    fn forget_before(&mut self, instant: Timestamp) {
        while self.answered.front().is_some_and(|answered| *answered < instant) {
            self.answered.pop_front();
        }
    }
}

fn after(instant: Timestamp, wait: Duration) -> Timestamp {
    instant.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn before(instant: Timestamp, wait: Duration) -> Timestamp {
    instant.checked_sub(wait).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + milliseconds).unwrap()
    }

    fn limit(remaining: u64, reset: u64) -> Told {
        let limit = Limit { name: "x".to_owned(), remaining, reset: Duration::from_secs(reset) };
        Told { retry_after: None, limits: vec![limit] }
    }

    fn answer(pace: &mut Pace, told: &Told, now: Timestamp) {
        pace.returned(Return::Answered(told), now);
    }

    fn refuse(pace: &mut Pace, seconds: u64, now: Timestamp) {
        pace.returned(
            Return::Refused { told: &Told::default(), wait: Duration::from_secs(seconds), limited: true },
            now,
        );
    }

    #[test]
    fn without_a_word_of_limits_there_are_none() {
        let mut pace = Pace::default();
        for number in 0..1_000 {
            assert_eq!(pace.turn(at(number), MINUTE), Turn::Now);
        }
        for number in 0..1_000 {
            answer(&mut pace, &Told::default(), at(number));
            assert_eq!(pace.turn(at(number), MINUTE), Turn::Now);
        }
    }

    #[test]
    fn a_limit_that_is_told_is_not_hit() {
        let mut pace = Pace::default();
        assert_eq!(pace.turn(at(0), MINUTE), Turn::Now);
        answer(&mut pace, &limit(2, 30), at(0));
        assert_eq!([pace.turn(at(1), MINUTE), pace.turn(at(2), MINUTE)], [Turn::Now; 2]);
        assert_eq!(pace.turn(at(3), MINUTE), Turn::AfterAnother, "two are left, and two are under way");
        answer(&mut pace, &limit(1, 30), at(4));
        assert_eq!(pace.turn(at(5), MINUTE), Turn::AfterAnother);
        answer(&mut pace, &limit(0, 30), at(6));
        assert_eq!(pace.turn(at(7), MINUTE), Turn::At(at(30_006)).nearly(at(30_000)));
        assert_eq!(pace.turn(at(30_010), MINUTE), Turn::Now);
    }

    impl Turn {
        /// The same with another instant that is as good: a reset is known to the second.
        fn nearly(self, other: Timestamp) -> Self {
            match self {
                Self::At(instant) if instant.duration_since(other).abs() <= SAME_RESET => Self::At(other),
                turn => turn,
            }
        }
    }

    #[test]
    fn an_overtaken_answer_does_not_raise_what_is_left() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            pace.turn(at(0), MINUTE);
        }
        answer(&mut pace, &limit(0, 30), at(10));
        answer(&mut pace, &limit(1, 30), at(20));
        assert_eq!(pace.turn(at(30), MINUTE).nearly(at(30_000)), Turn::At(at(30_000)));
    }

    #[test]
    fn a_limit_that_resets_tomorrow_is_left_to_the_service() {
        let mut pace = Pace::default();
        pace.turn(at(0), MINUTE);
        answer(&mut pace, &limit(0, 40_000), at(0));
        assert_eq!(pace.turn(at(1), MINUTE), Turn::Now);
        refuse(&mut pace, 40_000, at(2));
        assert_eq!(pace.turn(at(3), MINUTE), Turn::Closed(at(40_000_002)));
        assert_eq!(pace.turn(at(3), Duration::from_hours(24)), Turn::At(at(40_000_002)));
        assert_eq!(pace.turn(at(40_000_002), MINUTE), Turn::Now, "nothing was learned about minutes");
        assert_eq!(pace.turn(at(40_000_003), MINUTE), Turn::Now);
    }

    #[test]
    fn a_limit_that_was_learned_is_not_kept_longer_than_may_be_waited() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            assert_eq!(pace.turn(at(0), MINUTE), Turn::Now);
        }
        answer(&mut pace, &Told::default(), at(0));
        refuse(&mut pace, 1, at(0));
        assert_eq!(pace.turn(at(1_000), MINUTE), Turn::Now);
        assert_eq!(pace.turn(at(1_001), MINUTE), Turn::At(at(61_000)));
        assert_eq!(pace.turn(at(1_001), Duration::from_secs(5)), Turn::Now, "the service is asked");
    }

    #[test]
    fn a_refusal_before_any_answer_teaches_nothing() {
        let mut pace = Pace::default();
        pace.turn(at(0), MINUTE);
        refuse(&mut pace, 1, at(0));
        for number in 0..100 {
            assert_eq!(pace.turn(at(1_000 + number), MINUTE), Turn::Now);
        }
    }

    #[test]
    fn when_one_is_told_to_wait_all_wait() {
        let mut pace = Pace::default();
        for number in 0..8 {
            assert_eq!(pace.turn(at(number), MINUTE), Turn::Now);
        }
        refuse(&mut pace, 20, at(10));
        assert_eq!(pace.turn(at(11), MINUTE), Turn::At(at(20_010)));
        for number in 0..7 {
            refuse(&mut pace, 20, at(12 + number));
        }
        assert_eq!(pace.turn(at(20_011), MINUTE), Turn::At(at(20_018)), "the last one says longest");
        assert_eq!(pace.turn(at(20_018), MINUTE), Turn::Now);
    }

    #[test]
    fn an_answer_that_was_lost_counts_as_taken() {
        let mut pace = Pace::default();
        pace.turn(at(0), MINUTE);
        answer(&mut pace, &limit(1, 30), at(0));
        assert_eq!(pace.turn(at(1), MINUTE), Turn::Now);
        pace.returned(Return::Lost, at(2));
        assert_eq!(pace.turn(at(3), MINUTE).nearly(at(30_000)), Turn::At(at(30_000)));
    }

    #[test]
    fn a_service_that_was_in_trouble_is_not_taken_for_a_slow_one() {
        let mut pace = Pace::default();
        pace.turn(at(0), MINUTE);
        let trouble = Return::Refused { told: &Told::default(), wait: Duration::from_secs(5), limited: false };
        pace.returned(trouble, at(0));
        assert_eq!(pace.turn(at(1), MINUTE), Turn::At(at(5_000)));
        for number in 0..100 {
            assert_eq!(pace.turn(at(5_000 + number), MINUTE), Turn::Now);
        }
    }

    /// A service that takes so many requests in each minute of the clock, and tells nobody.
    struct Service {
        limit: u64,
        minute: i64,
        taken: u64,
        refused: u64,
    }

    impl Service {
        fn takes(&mut self, milliseconds: i64) -> Result<(), u64> {
            let minute = milliseconds.div_euclid(60_000);
            if minute != self.minute {
                (self.minute, self.taken) = (minute, 0);
            }
            if self.taken < self.limit {
                self.taken += 1;
                return Ok(());
            }
            self.refused += 1;
            Err(u64::try_from(60 - milliseconds.rem_euclid(60_000) / 1_000).unwrap())
        }
    }

    /// Sends requests one after the other; how long all of them took, in minutes.
    fn send(requests: u32, service: &mut Service, begin: i64) -> i64 {
        let mut pace = Pace::default();
        let (mut now, mut done) = (begin, 0);
        while done < requests {
            match pace.turn(at(now), MINUTE) {
                Turn::Now => {}
                Turn::At(instant) => {
                    now = i64::try_from(instant.duration_since(at(0)).as_millis()).unwrap();
                    continue;
                }
                other => panic!("{other:?}"),
            }
            now += 20;
            // The clock of the pace begins with a full minute.
            match service.takes(now) {
                Ok(()) => {
                    done += 1;
                    answer(&mut pace, &Told::default(), at(now));
                }
                Err(wait) => refuse(&mut pace, wait, at(now)),
            }
        }
        (now - begin) / 60_000
    }

    #[test]
    fn a_limit_that_nobody_tells_of_is_learned() {
        for begin in [0, 30_000, 55_000] {
            let mut service = Service { limit: 50, minute: -1, taken: 0, refused: 0 };
            let minutes = send(500, &mut service, begin);
            assert!(minutes <= 13, "{minutes} minutes for ten minutes' worth");
            assert!(service.refused <= 8, "{} refusals", service.refused);
        }
    }

    #[test]
    fn a_minute_that_was_used_up_in_its_first_second_is_not_forgotten() {
        let mut service = Service { limit: 23, minute: -1, taken: 0, refused: 0 };
        let minutes = send(4 * 23, &mut service, 59_900);
        assert!(minutes <= 6, "{minutes} minutes for four minutes' worth");
    }

    proptest! {
        #[test]
        fn nobody_waits_for_ever(limit in 1_u64..300, begin in 0_i64..60_000) {
            let mut service = Service { limit, minute: -1, taken: 0, refused: 0 };
            let requests = u32::try_from(limit * 4).unwrap();
            let minutes = send(requests, &mut service, begin);
            prop_assert!(minutes <= 10, "{} minutes for four", minutes);
            prop_assert!(service.refused <= 12);
        }
    }
}
