//! Makes a failing list shorter for as long as it fails.

/// Drops what is not needed to fail: large pieces first, then one by one, and again until nothing more can go, or until
/// it was tried often enough.
pub fn shrink<T: Clone>(list: Vec<T>, mut tries: usize, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut list = list;
    let mut piece = list.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        let mut dropped = false;
        while at < list.len() && tries > 0 {
            let end = (at + piece).min(list.len());
            let rest = [&list[..at], &list[end..]].concat();
            tries -= 1;
            if fails(&rest) {
                list = rest;
                dropped = true;
            } else {
                at = end;
            }
        }
        if tries == 0 {
            return list;
        }
        piece = if piece == 1 && dropped { 1 } else { piece / 2 };
    }
    list
}

#[test]
fn what_matters_stays() {
    let list: Vec<u32> = (0..50).collect();
    let fails = |list: &[u32]| list.contains(&7) && list.contains(&8) && list.contains(&41);
    assert_eq!(shrink(list, 500, fails), [7, 8, 41]);
}
