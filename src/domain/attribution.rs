//! Which of several clicks counts (rule 3).
//!
//! The last click that can be used decides on the program, and that program says which of its own clicks counts: the
//! last, or the first that still can. A click that cannot be used never stands in the way of one that can.

use super::{id::Id, program::AttributionModel, time::Timestamp, words::Outcome};

/// A click that is known of a newcomer, as it stands at the time of the signup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The click.
    pub click: Id,
    /// Its program, and which click counts there.
    pub program: (Id, AttributionModel),
    /// When it was made.
    pub at: Timestamp,
    /// Why it cannot be used, if it cannot.
    pub refusal: Option<Outcome>,
}

/// What came of the clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// In one word.
    pub outcome: Outcome,
    /// Place of the click that the word is about; none when there are no clicks.
    pub place: Option<usize>,
}

/// Chooses among the clicks of a newcomer, which are in the order of the last visits.
pub fn choose(touches: &[Touch]) -> Choice {
    let usable = |(_, touch): &(usize, &Touch)| touch.refusal.is_none();
    let Some((last, chosen)) = touches.iter().enumerate().rfind(usable) else {
        let place = touches.len().checked_sub(1);
        let outcome = place.and_then(|place| touches[place].refusal).unwrap_or(Outcome::None);
        return Choice { outcome, place };
    };
    let place = match chosen.program.1 {
        AttributionModel::LastTouch => last,
        AttributionModel::FirstTouch => {
            let same = |(_, touch): &(usize, &Touch)| touch.program.0 == chosen.program.0;
            let first = touches.iter().enumerate().filter(usable).filter(same).min_by_key(|(_, touch)| touch.at);
            first.map_or(last, |(place, _)| place)
        }
    };
    Choice { outcome: Outcome::Attributed, place: Some(place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(number: u8, program: u8, model: AttributionModel, refusal: Option<Outcome>) -> Touch {
        let at = Timestamp::from_micros(i64::from(number) * 1_000);
        let program = Id::new(Timestamp::EPOCH, [program; 10]);
        Touch { click: Id::new(at, [number; 10]), program: (program, model), at, refusal }
    }

    #[test]
    fn the_program_of_the_last_usable_click_says_which_counts() {
        let (first, last) = (AttributionModel::FirstTouch, AttributionModel::LastTouch);
        let expired = Some(Outcome::ClickExpired);
        for (touches, outcome, place) in [
            (vec![], Outcome::None, None),
            (vec![touch(1, 1, last, None), touch(2, 1, last, None)], Outcome::Attributed, Some(1)),
            (vec![touch(1, 1, first, None), touch(2, 1, first, None)], Outcome::Attributed, Some(0)),
            (vec![touch(1, 1, first, expired), touch(2, 1, first, None)], Outcome::Attributed, Some(1)),
            (vec![touch(1, 1, last, None), touch(2, 1, last, expired)], Outcome::Attributed, Some(0)),
            (vec![touch(1, 1, last, None), touch(2, 2, first, None)], Outcome::Attributed, Some(1)),
            (vec![touch(1, 2, first, None), touch(2, 1, last, None)], Outcome::Attributed, Some(1)),
            // Visited again: the order is that of the visits, first and last by their own measure.
            (vec![touch(2, 1, last, None), touch(1, 1, last, None)], Outcome::Attributed, Some(1)),
            (vec![touch(2, 1, first, None), touch(1, 1, first, None)], Outcome::Attributed, Some(1)),
            (
                vec![touch(1, 1, last, expired), touch(2, 1, last, Some(Outcome::SelfReferral))],
                Outcome::SelfReferral,
                Some(1),
            ),
        ] {
            assert_eq!(choose(&touches), Choice { outcome, place }, "{touches:#?}");
        }
    }
}
