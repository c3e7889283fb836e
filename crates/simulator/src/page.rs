//! Lists that come in pages and in no particular order.

use crate::chance::Order;

/// One page of a list: the positions on it, and where the next one starts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) positions: Vec<usize>,
    pub(crate) next_token: Option<String>,
}

/// How a list is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) size: usize,
    /// Puts an empty page with a token before each full one, and an empty last page.
    pub(crate) with_empty_pages: bool,
    /// Keeps the order of the list, for the few lists that AWS sorts.
    pub(crate) in_order: bool,
}

/// The page of `length` items that `token` names; `None` where the token is not one of ours.
///
/// The order is drawn with the first page and stays in the token, so all pages of one listing
/// agree and two listings do not.
pub(crate) fn page(length: usize, cut: Cut, token: Option<&str>, nonce: u64) -> Option<Page> {
    let place = match token {
        None => Place {
            nonce,
            offset: 0,
            after_empty: false,
        },
        Some(token) => Place::parse(token)?,
    };
    if place.offset > length {
        // The list has shrunk since the token was given.
        return Some(Page {
            positions: Vec::new(),
            next_token: None,
        });
    }
    if cut.with_empty_pages && !place.after_empty && place.offset < length {
        let next = Place {
            after_empty: true,
            ..place
        };
        return Some(Page {
            positions: Vec::new(),
            next_token: Some(next.to_token()),
        });
    }
    let order = Order::new(length, place.nonce);
    let end = place.offset.saturating_add(cut.size.max(1)).min(length);
    let positions = (place.offset..end)
        .map(|position| {
            if cut.in_order {
                position
            } else {
                order.at(position)
            }
        })
        .collect();
    let goes_on = end < length || (cut.with_empty_pages && place.offset < length);
    let next = Place {
        offset: end,
        after_empty: false,
        ..place
    };
    Some(Page {
        positions,
        next_token: goes_on.then(|| next.to_token()),
    })
}

#[derive(Debug, Clone, Copy)]
struct Place {
    nonce: u64,
    offset: usize,
    after_empty: bool,
}

impl Place {
    fn to_token(self) -> String {
        let kind = if self.after_empty { 'f' } else { 'e' };
        format!("AAEA{kind}{:016x}{:08x}", self.nonce, self.offset)
    }

    fn parse(token: &str) -> Option<Self> {
        let rest = token.strip_prefix("AAEA").filter(|rest| rest.is_ascii())?;
        if rest.len() != 25 {
            return None;
        }
        let after_empty = match rest.get(..1)? {
            "f" => true,
            "e" => false,
            _ => return None,
        };
        Some(Self {
            nonce: u64::from_str_radix(rest.get(1..17)?, 16).ok()?,
            offset: usize::from_str_radix(rest.get(17..)?, 16).ok()?,
            after_empty,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(length: usize, cut: Cut) -> (Vec<usize>, Vec<usize>) {
        let (mut met, mut sizes, mut token) = (Vec::new(), Vec::new(), None);
        loop {
            let page = page(length, cut, token.as_deref(), 99).unwrap();
            sizes.push(page.positions.len());
            met.extend(page.positions);
            token = page.next_token;
            if token.is_none() {
                met.sort_unstable();
                return (met, sizes);
            }
        }
    }

    #[test]
    fn pages_hold_every_item_once() {
        for length in [0, 1, 19, 20, 21, 40, 45] {
            let (met, sizes) = walk(
                length,
                Cut {
                    size: 20,
                    with_empty_pages: false,
                    in_order: false,
                },
            );
            assert_eq!(met, (0..length).collect::<Vec<_>>());
            assert_eq!(sizes.len(), length.div_ceil(20).max(1));
        }
    }

    #[test]
    fn a_sorted_list_stays_sorted_over_its_pages() {
        let cut = Cut {
            size: 2,
            with_empty_pages: false,
            in_order: true,
        };
        let first = page(3, cut, None, 99).unwrap();
        let last = page(3, cut, first.next_token.as_deref(), 7).unwrap();
        assert_eq!((first.positions, last.positions), (vec![0, 1], vec![2]));
    }

    #[test]
    fn empty_pages_come_before_full_ones_and_at_the_end() {
        let (met, sizes) = walk(
            45,
            Cut {
                size: 20,
                with_empty_pages: true,
                in_order: false,
            },
        );
        assert_eq!(met.len(), 45);
        assert_eq!(sizes, [0, 20, 0, 20, 0, 5, 0]);
    }

    #[test]
    fn a_token_from_elsewhere_is_refused() {
        let cut = Cut {
            size: 20,
            with_empty_pages: false,
            in_order: false,
        };
        for token in [
            "",
            "x",
            "AAEAz00000000000000000000000000",
            "AAEAeéééééééééééé",
            "AAEAe0",
        ] {
            assert_eq!(page(3, cut, Some(token), 1), None, "{token}");
        }
    }
}
