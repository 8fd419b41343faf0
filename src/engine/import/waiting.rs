//! Rows whose referrer has not come yet, and what is said about those who never do.

use std::collections::HashMap;

use super::{
    report::BadRow,
    table::{Line, shown},
    user_row::UserRow,
};

/// Rows that are kept aside at most: about 200 bytes each.
pub(super) const WAITING_MAX: usize = 2_000_000;

/// Rows by the referrer that they wait for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    by_referrer: HashMap<String, Vec<Line<UserRow>>>,
    rows: usize,
}

impl Waiting {
    /// Keeps a row aside; gives it back when there are too many.
    #[expect(clippy::result_large_err, reason = "the row itself comes back, to be reported")]
    pub(super) fn keep(&mut self, line: Line<UserRow>) -> Result<(), Line<UserRow>> {
        let Some(referrer) = line.row.referrer.clone().filter(|_| self.rows < WAITING_MAX) else { return Err(line) };
        self.by_referrer.entry(referrer).or_default().push(line);
        self.rows += 1;
        Ok(())
    }

    /// Takes the rows that wait for this referrer.
    pub(super) fn take(&mut self, referrer: &str) -> Vec<Line<UserRow>> {
        let rows = self.by_referrer.remove(referrer).unwrap_or_default();
        self.rows -= rows.len();
        rows
    }

    /// Who is waited for.
    pub(super) fn referrers(&self) -> Vec<String> {
        self.by_referrer.keys().cloned().collect()
    }

    /// What is wrong with the rows that are left when nobody comes any more, by line.
    pub(super) fn explain(&self) -> Vec<BadRow> {
        let rows: Vec<&Line<UserRow>> = self.by_referrer.values().flatten().collect();
        let referrers = rows.iter().filter_map(|line| Some((&*line.row.external_id, line.row.referrer.as_deref()?)));
        let mut chains = Chains { referrers: referrers.collect(), ends: HashMap::new() };
        let mut bad: Vec<BadRow> = rows
            .iter()
            .map(|line| BadRow { line: line.number, reason: chains.end(&line.row.external_id).reason(&line.row) })
            .collect();
        bad.sort_unstable_by_key(|row| row.line);
        bad
    }
}

/// Where the chain of referrers above a row leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The referrer is nowhere.
    Unknown,
    /// Back to the row itself.
    Itself,
    /// To a row that was refused.
    Refused,
}

impl End {
    fn reason(self, row: &UserRow) -> String {
        let referrer = shown(row.referrer.as_deref().unwrap_or_default());
        match self {
            Self::Unknown => {
                format!("the referrer `{referrer}` is neither in the database nor in a good row of the file")
            }
            Self::Itself => format!("the chain of referrers leads back to the row itself, through `{referrer}`"),
            Self::Refused => format!("the referrer `{referrer}` was not imported, see their own row"),
        }
    }
}

/// Chains among the rows that are left, each walked once.
struct Chains<'a> {
    referrers: HashMap<&'a str, &'a str>,
    ends: HashMap<&'a str, End>,
}

impl<'a> Chains<'a> {
    fn end(&mut self, start: &'a str) -> End {
        let mut path = vec![start];
        let mut places = HashMap::from([(start, 0)]);
        while !self.ends.contains_key(path[path.len() - 1]) {
            let last = path[path.len() - 1];
            match self.referrers.get(last).copied() {
                None => break,
                Some(above) => match places.insert(above, path.len()) {
                    Some(begins) => {
                        self.ends.extend(path[begins..].iter().map(|id| (*id, End::Itself)));
                        break;
                    }
                    None => path.push(above),
                },
            }
        }
        self.settle(&path);
        self.ends.get(start).copied().unwrap_or(End::Unknown)
    }

    /// The last of a path is known, or nowhere; whoever stands below follows from that.
    fn settle(&mut self, path: &[&'a str]) {
        for pair in path.windows(2).rev() {
            let end = if self.referrers.contains_key(pair[1]) { End::Refused } else { End::Unknown };
            self.ends.entry(pair[0]).or_insert(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, external_id: &str, referrer: &str) -> Line<UserRow> {
        let (external_id, referrer) = (external_id.to_owned(), Some(referrer.to_owned()));
        Line { number, row: UserRow { external_id, referrer, code: None, display_name: None, created_at: None } }
    }

    #[test]
    fn says_why_nobody_came() {
        let mut waiting = Waiting::default();
        for (number, (id, referrer)) in
            [("a", "b"), ("b", "c"), ("c", "a"), ("below", "b"), ("lost", "nobody"), ("lower", "lost")]
                .into_iter()
                .enumerate()
        {
            waiting.keep(row(number as u64, id, referrer)).unwrap();
        }
        let ends: Vec<_> = waiting.explain().into_iter().map(|bad| bad.reason).collect();
        let [a, b, c, below, lost, lower] = ends.try_into().unwrap();
        for cyclic in [a, b, c] {
            assert!(cyclic.contains("leads back to the row itself"), "{cyclic}");
        }
        assert!(below.contains("`b` was not imported"), "{below}");
        assert!(lost.contains("`nobody` is neither"), "{lost}");
        assert!(lower.contains("`lost` was not imported"), "{lower}");
    }

    #[test]
    fn gives_rows_to_whom_they_wait_for() {
        let mut waiting = Waiting::default();
        waiting.keep(row(1, "a", "b")).unwrap();
        waiting.keep(row(2, "c", "b")).unwrap();
        assert!(waiting.take("a").is_empty());
        assert_eq!(waiting.take("b").len(), 2);
        assert_eq!((waiting.rows, waiting.referrers().len()), (0, 0));
    }
}
