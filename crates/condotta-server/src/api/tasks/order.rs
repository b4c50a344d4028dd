//! The order of tasks in a list, and which of them are on a page.
//!
//! A page begins after a cursor, which names the last task of the page before with what it was sorted
//! by, so that nothing is shown twice or left out when tasks come and go; or after a number of tasks,
//! which pages need that jump.

use std::{cmp::Ordering, collections::BinaryHeap};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use condotta_scheduler::ShownTask;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::error::HttpError;

/// By what tasks are sorted. Tasks that are equal in that are sorted by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub(crate) enum Sort {
    /// By id.
    #[serde(rename = "id")]
    Id,
    /// By id, from the end.
    #[serde(rename = "-id")]
    IdDown,
    /// By family.
    #[serde(rename = "family")]
    Family,
    /// By family, from the end.
    #[serde(rename = "-family")]
    FamilyDown,
    /// By status, in the order in which statuses are listed.
    #[serde(rename = "status")]
    Status,
    /// By status, from the end.
    #[serde(rename = "-status")]
    StatusDown,
    /// By priority, the lowest first.
    #[serde(rename = "priority")]
    Priority,
    /// By priority, the highest first.
    #[serde(rename = "-priority")]
    PriorityDown,
    /// By when they were first announced.
    #[serde(rename = "created")]
    Created,
    /// By when they were first announced, the latest first.
    #[serde(rename = "-created")]
    CreatedDown,
    /// By when they were last handed out; those that never were come first.
    #[serde(rename = "started")]
    Started,
    /// By when they were last handed out, the latest first.
    #[serde(rename = "-started")]
    StartedDown,
    /// By when their status changed last.
    #[serde(rename = "updated")]
    Updated,
    /// By when their status changed last, the latest first.
    #[serde(rename = "-updated")]
    UpdatedDown,
}

impl Sort {
    fn is_down(self) -> bool {
        use Sort::{
            CreatedDown, FamilyDown, IdDown, PriorityDown, StartedDown, StatusDown, UpdatedDown,
        };
        matches!(
            self,
            IdDown
                | FamilyDown
                | StatusDown
                | PriorityDown
                | CreatedDown
                | StartedDown
                | UpdatedDown
        )
    }

    fn key(self, task: ShownTask<'_>) -> Key {
        let number = |number: f64| Key::Number(number);
        match self {
            Self::Id | Self::IdDown => Key::Number(0.0),
            Self::Family | Self::FamilyDown => Key::Text(task.family().into()),
            Self::Status | Self::StatusDown => number(f64::from(task.status() as u8)),
            Self::Priority | Self::PriorityDown => number(task.priority()),
            Self::Created | Self::CreatedDown => number(task.start_time().0),
            Self::Updated | Self::UpdatedDown => number(task.last_updated().0),
            Self::Started | Self::StartedDown => {
                number(task.time_running().map_or(f64::NEG_INFINITY, |time| time.0))
            }
        }
    }
}

/// What a task is sorted by.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Number(f64),
    Text(Box<str>),
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// The place of a task in the order; the least comes first.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    key: Key,
    id: Box<str>,
    is_down: bool,
}

impl Place {
    fn compare_to(&self, key: &Key, id: &str) -> Ordering {
        let order = self.key.compare(key).then_with(|| (*self.id).cmp(id));
        if self.is_down { order.reverse() } else { order }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare_to(&other.key, &other.id)
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Place {}

/// The first tasks of an order, after a place, as they are come by in any order.
pub(crate) struct First {
    sort: Sort,
    after: Option<Place>,
    most: usize,
    /// The greatest on top.
    kept: BinaryHeap<Place>,
}

impl First {
    /// At most so many, after the place of a cursor.
    ///
    /// # Errors
    ///
    /// When the cursor is none of this order.
    pub(crate) fn new(sort: Sort, after: Option<&str>, most: usize) -> Result<Self, HttpError> {
        let after = after.map(|cursor| {
            read_cursor(sort, cursor).ok_or_else(|| {
                let message =
                    "the parameter `after` in the query is no `next` of a list in this order";
                HttpError::bad_request("bad_parameter", message)
            })
        });
        Ok(Self {
            sort,
            after: after.transpose()?,
            most,
            kept: BinaryHeap::new(),
        })
    }

    /// One more task; whether it comes before the page or on it is found out at the end.
    pub(crate) fn add(&mut self, task: ShownTask<'_>) {
        let key = self.sort.key(task);
        let is_before = |place: &Place| place.compare_to(&key, task.id()) != Ordering::Less;
        if self.after.as_ref().is_some_and(is_before) {
            return;
        }
        if self.kept.len() == self.most {
            let fits = |worst: &Place| worst.compare_to(&key, task.id()) == Ordering::Greater;
            if !self.kept.peek().is_some_and(fits) {
                return;
            }
            self.kept.pop();
        }
        self.kept.push(Place {
            key,
            id: task.id().into(),
            is_down: self.sort.is_down(),
        });
    }

    /// The ids on the page that begins at the place `offset`, in order, and where the next page begins
    /// if there is one.
    pub(crate) fn into_page(self, offset: usize, limit: usize) -> (Vec<String>, Option<String>) {
        let mut sorted = self.kept.into_sorted_vec();
        let has_more = sorted.len() > offset + limit;
        sorted.truncate(offset + limit);
        let next = sorted.last().filter(|_| has_more).map(cursor);
        let ids = sorted.into_iter().skip(offset);
        (ids.map(|place| place.id.into_string()).collect(), next)
    }
}

/// A place as text that can stand in an address.
fn cursor(place: &Place) -> String {
    let mut bytes = Vec::new();
    match &place.key {
        Key::Number(number) => bytes.extend(number.to_bits().to_be_bytes()),
        Key::Text(text) => {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes.extend_from_slice(place.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor(sort: Sort, text: &str) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let head = u64::from_be_bytes(*head);
    let (key, id) = if let Sort::Family | Sort::FamilyDown = sort {
        let (key, id) = rest.split_at_checked(usize::try_from(head).ok()?)?;
        (Key::Text(std::str::from_utf8(key).ok()?.into()), id)
    } else {
        (Key::Number(f64::from_bits(head)), rest)
    };
    Some(Place {
        key,
        id: std::str::from_utf8(id).ok()?.into(),
        is_down: sort.is_down(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: Key, id: &str, is_down: bool) -> Place {
        Place {
            key,
            id: id.into(),
            is_down,
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for (sort, key) in [
            (Sort::FamilyDown, Key::Text("n.Fämily".into())),
            (Sort::Family, Key::Text("".into())),
            (Sort::UpdatedDown, Key::Number(1_795_737_600.25)),
            (Sort::Started, Key::Number(f64::NEG_INFINITY)),
        ] {
            let written = place(key, "id/ with % 😀", sort.is_down());
            let read = read_cursor(sort, &cursor(&written)).expect("a cursor");
            assert_eq!(read, written);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for wrong in ["", "AAAA", "%%%", "////////////////", "_________________w"] {
            assert!(read_cursor(Sort::Family, wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn down_is_the_other_way_round() {
        let (one, two) = (Key::Number(1.0), Key::Number(2.0));
        assert!(place(one.clone(), "b", false) < place(two.clone(), "a", false));
        assert!(place(one.clone(), "b", true) > place(two, "a", true));
        assert!(place(one.clone(), "b", true) < place(one, "a", true));
    }
}
