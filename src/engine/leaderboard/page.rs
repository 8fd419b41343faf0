//! One page of a ranking.

use super::{
    BoardEntry, BoardPage, BoardRequest, PAGE_MAX, entry_of,
    rank::{look_up, with_followers},
};
use crate::store::{
    StoreError, Tx,
    boards::{Direction, Place, Ranking, Stretch, stretches},
    run,
};

/// Reads a page; the ranks of its first entry are looked up, the others follow from it.
pub(super) async fn read(
    tx: &mut Tx,
    ranking: Ranking,
    (request, version): (&BoardRequest, i64),
) -> Result<BoardPage, StoreError> {
    let limit = request.limit.clamp(1, PAGE_MAX);
    let mut places = window(tx, ranking, (request, limit + 1)).await?;
    let has_more = places.len() > limit;
    places.truncate(limit);
    if request.from_end {
        places.reverse();
    }
    let entries = match places.split_first() {
        Some((first, rest)) => with_followers(look_up(tx, ranking, *first).await?, rest),
        None => Vec::new(),
    };
    let (has_previous, has_next) = match (entries.first(), entries.last()) {
        (Some(first), Some(last)) => {
            let is_cut = request.from_end || request.before.is_some();
            let known = has_more && !request.from_end;
            let has_next = known || (is_cut && exists(tx, ranking, stretches(Some(last.place()), None)).await?);
            (first.row_number > 1, has_next)
        }
        _ => {
            let any = exists(tx, ranking, stretches(None, None)).await?;
            (any && request.after.is_some(), any && request.before.is_some())
        }
    };
    let viewer = viewer_entry(tx, ranking, (request, &entries)).await?;
    Ok(BoardPage { version, entries, has_next, has_previous, viewer })
}

/// The first places between the request's two, from the end that it asks for.
async fn window(
    tx: &mut Tx,
    ranking: Ranking,
    (request, wanted): (&BoardRequest, usize),
) -> Result<Vec<Place>, StoreError> {
    let mut stretches = stretches(request.after, request.before);
    let direction = if request.from_end { Direction::Up } else { Direction::Down };
    if request.from_end {
        stretches.reverse();
    }
    let mut places = Vec::with_capacity(wanted);
    for stretch in stretches {
        let missing = i64::try_from(wanted - places.len()).unwrap_or(0);
        if missing > 0 {
            places.extend(run!(tx, ranking::walk(ranking, (stretch, direction), missing))?);
        }
    }
    Ok(places)
}

async fn exists(tx: &mut Tx, ranking: Ranking, stretches: Vec<Stretch>) -> Result<bool, StoreError> {
    for stretch in stretches {
        if !run!(tx, ranking::walk(ranking, (stretch, Direction::Down), 1))?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn viewer_entry(
    tx: &mut Tx,
    ranking: Ranking,
    (request, entries): (&BoardRequest, &[BoardEntry]),
) -> Result<Option<BoardEntry>, StoreError> {
    let Some(viewer) = request.viewer else { return Ok(None) };
    match entries.iter().find(|entry| entry.user == viewer) {
        Some(entry) => Ok(Some(*entry)),
        None => entry_of(tx, ranking, viewer).await,
    }
}
