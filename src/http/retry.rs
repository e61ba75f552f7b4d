//! Whether a request is sent again, and when. Pure: what happened, how long it took and the dice are arguments.

use std::time::Duration;

/// Tries of one request in all, where the service does not say when to come again.
const TRIES: u32 = 5;

/// Tries to reach a service at all: a wrong address does not get better, and somebody waits for the error.
const TRIES_TO_REACH: u32 = 3;

/// Tries where the service says each time when to come again.
const TRIES_AS_TOLD: u32 = 10;

/// The wait before the second try, which doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// No wait of our own is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Added to a wait the service asked for, at most: clocks differ, and not all should come back at once.
const SPREAD: Duration = Duration::from_millis(250);

/// What went wrong with a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing was sent.
    Unreached,
    /// It was sent, and no whole answer came.
    Lost,
    /// The service could not do it now.
    Busy,
    /// The service answered that there are too many requests.
    Limited,
}

/// A try that failed, and those before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    pub(super) trouble: Trouble,
    /// How many tries there were, this one included.
    pub(super) tries: u32,
    /// What they and the waits between them took, but for the waits that the service asked for.
    pub(super) spent: Duration,
    /// How long the service asks to wait.
    pub(super) told: Option<Duration>,
    /// Whether the same request again does nothing twice: it changes nothing, or has an Idempotency-Key.
    pub(super) repeatable: bool,
}

/// What becomes of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Again { after: Duration },
    GiveUp,
}

/// Decides. `max_wait` bounds each wait that the service asks for, and everything else together; `dice` is random.
pub(super) fn decide(failed: &Failed, max_wait: Duration, dice: u16) -> Verdict {
    if !failed.repeatable {
        return Verdict::GiveUp;
    }
    let own = wait(failed.tries, dice);
    let (after, tries, fits) = match failed.told {
        Some(told) => {
            let spread = fraction(SPREAD, dice);
            (own.max(told.saturating_add(spread)), TRIES_AS_TOLD, told <= max_wait && own <= max_wait)
        }
        None => (own, tries(failed.trouble), failed.spent.saturating_add(own) <= max_wait),
    };
    if fits && failed.tries < tries { Verdict::Again { after } } else { Verdict::GiveUp }
}

const fn tries(trouble: Trouble) -> u32 {
    match trouble {
        Trouble::Unreached => TRIES_TO_REACH,
        Trouble::Lost | Trouble::Busy | Trouble::Limited => TRIES,
    }
}

/// A wait of our own: between half and all of what doubles each time.
fn wait(tries: u32, dice: u16) -> Duration {
    let doubled = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    let whole = FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT);
    whole / 2 + fraction(whole / 2, dice)
}

fn fraction(of: Duration, dice: u16) -> Duration {
    of.saturating_mul(u32::from(dice)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const TROUBLES: [Trouble; 4] = [Trouble::Unreached, Trouble::Lost, Trouble::Busy, Trouble::Limited];

    const fn failed(trouble: Trouble, tries: u32) -> Failed {
        Failed { trouble, tries, spent: Duration::ZERO, told: None, repeatable: true }
    }

    fn seconds(verdict: Verdict) -> Option<f64> {
        match verdict {
            Verdict::Again { after } => Some(after.as_secs_f64()),
            Verdict::GiveUp => None,
        }
    }

    #[test]
    fn what_would_be_done_twice_is_never_sent_again() {
        for trouble in TROUBLES {
            for told in [None, Some(Duration::ZERO), Some(Duration::from_secs(1))] {
                let failed = Failed { told, repeatable: false, ..failed(trouble, 1) };
                assert_eq!(decide(&failed, MINUTE, 0), Verdict::GiveUp, "{failed:?}");
            }
        }
    }

    #[test]
    fn each_trouble_has_its_number_of_tries() {
        for (trouble, allowed) in TROUBLES.into_iter().zip([3, 5, 5, 5]) {
            let again = (1..20).take_while(|tries| seconds(decide(&failed(trouble, *tries), MINUTE, 0)).is_some());
            assert_eq!(again.count() + 1, allowed, "{trouble:?}");
        }
    }

    #[test]
    fn waits_double_and_the_dice_take_half_of_them() {
        let wait = |tries, dice| seconds(decide(&failed(Trouble::Busy, tries), MINUTE, dice)).unwrap();
        for (tries, least, most) in [(1, 0.15, 0.3), (2, 0.3, 0.6), (3, 0.6, 1.2), (4, 1.2, 2.4)] {
            assert!((wait(tries, 0) - least).abs() < 1e-6, "{}", wait(tries, 0));
            assert!((wait(tries, u16::MAX) - most).abs() < 1e-6, "{}", wait(tries, u16::MAX));
        }
    }

    #[test]
    fn what_the_service_asks_for_is_honoured_as_long_as_it_is_not_too_long() {
        let told = |told, max_wait, dice| {
            let failed = Failed { told: Some(told), ..failed(Trouble::Limited, 1) };
            decide(&failed, max_wait, dice)
        };
        let seven = Duration::from_secs(7);
        assert_eq!(told(seven, MINUTE, 0), Verdict::Again { after: seven });
        assert_eq!(told(seven, seven, u16::MAX), Verdict::Again { after: seven + SPREAD });
        assert_eq!(told(seven, Duration::from_millis(6_999), 0), Verdict::GiveUp);
        assert_eq!(told(Duration::MAX, Duration::MAX, u16::MAX), Verdict::Again { after: Duration::MAX });
        // Asked for nothing, it still gets a moment.
        assert_eq!(told(Duration::ZERO, MINUTE, 0), Verdict::Again { after: FIRST_WAIT / 2 });
    }

    #[test]
    fn a_service_that_always_says_soon_is_given_up_in_the_end() {
        let told = |tries| Failed { told: Some(Duration::from_secs(1)), ..failed(Trouble::Limited, tries) };
        assert!(seconds(decide(&told(9), MINUTE, 0)).is_some());
        assert_eq!(decide(&told(10), MINUTE, 0), Verdict::GiveUp);
    }

    #[test]
    fn what_was_spent_counts_but_not_for_waits_that_were_asked_for() {
        let spent = Failed { spent: Duration::from_secs(59), ..failed(Trouble::Lost, 1) };
        assert!(seconds(decide(&spent, MINUTE, 0)).is_some());
        let spent = Failed { spent: MINUTE, ..spent };
        assert_eq!(decide(&spent, MINUTE, 0), Verdict::GiveUp);
        let told = Failed { told: Some(MINUTE), ..spent };
        assert!(seconds(decide(&told, MINUTE, 0)).is_some());
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_was_allowed(
            trouble in 0_usize..4, tries in 1_u32..40, spent in 0_u64..200_000, told: Option<u16>, max_wait in 0_u64..200_000, dice: u16,
        ) {
            let (spent, max_wait) = (Duration::from_millis(spent), Duration::from_millis(max_wait));
            let told = told.map(|told| Duration::from_secs(told.into()));
            let failed = Failed { trouble: TROUBLES[trouble], tries, spent, told, repeatable: true };
            match (decide(&failed, max_wait, dice), told) {
                (Verdict::GiveUp, _) => {}
                (Verdict::Again { after }, None) => prop_assert!(spent + after <= max_wait && tries < TRIES),
                (Verdict::Again { after }, Some(told)) => {
                    prop_assert!(after >= told && after <= max_wait + SPREAD && tries < TRIES_AS_TOLD);
                }
            }
        }

        #[test]
        fn no_patience_is_no_second_try(trouble in 0_usize..4, told: bool, dice: u16) {
            let failed = Failed { told: told.then_some(Duration::ZERO), ..failed(TROUBLES[trouble], 1) };
            prop_assert_eq!(decide(&failed, Duration::ZERO, dice), Verdict::GiveUp);
        }
    }
}
