//! Questions to what is packed: which packs may have something that is wanted, newest first.

use std::sync::Arc;

use sqlx::Row as _;

use crate::{
    HistoryError,
    attempt::Attempt,
    attempt_id::AttemptId,
    database::Value,
    pack::{BadPack, Pack, Wanted},
    query::History,
};

/// In how many packs it is looked for one answer.
const MOST_PACKS: usize = 500;
/// How many packs are looked up at a time.
const AT_ONCE: usize = 16;

/// What packs have of what is wanted.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    /// Newest first.
    pub(crate) attempts: Vec<Attempt>,
    /// The moment, in milliseconds, before which it was not looked any more, although there are packs.
    pub(crate) looked_until: Option<i64>,
}

/// A pack without what is in it.
#[derive(Clone, Copy, Debug)]
struct Place {
    id: i64,
    /// When its last attempt began.
    last: i64,
}

impl History {
    /// The newest `most` of what is wanted, as far as it began at `at_least` or later.
    pub(crate) async fn packed(
        &self,
        wanted: Wanted,
        most: usize,
        at_least: Option<i64>,
    ) -> Result<Packed, HistoryError> {
        let at_least = at_least.unwrap_or(i64::MIN);
        let wanted = Arc::new(wanted);
        let mut packed = Packed::default();
        let Some([from, mut to]) = self.range(&wanted, at_least).await? else {
            return Ok(packed);
        };
        let mut looked = 0;
        loop {
            let places = self.places(&wanted, [from, to]).await?;
            let is_last = places.len() < AT_ONCE;
            for place in places {
                if packed.attempts.len() >= most || place.last < at_least {
                    return Ok(packed);
                }
                if looked == MOST_PACKS {
                    packed.looked_until = Some(place.last + 1);
                    return Ok(packed);
                }
                looked += 1;
                to = place.id - 1;
                let Some(data) = self.data(place.id).await? else {
                    continue;
                };
                let wanted = wanted.clone();
                let found = self.read(move || Ok(Pack::from_bytes(&data)?.attempts(&wanted)));
                packed.attempts.extend(found.await?.into_iter().rev());
            }
            if is_last {
                return Ok(packed);
            }
        }
    }

    /// The attempt of this name, if it is packed.
    pub(crate) async fn packed_attempt(
        &self,
        id: &AttemptId,
    ) -> Result<Option<Attempt>, HistoryError> {
        let select = "SELECT data FROM condotta_packs WHERE last >= ? ORDER BY last LIMIT 1";
        let values = [id.millis().into()];
        let found = self.fetch(select, &values, |row| row.try_get::<Vec<u8>, _>("data"));
        let Some(data) = found.await?.pop() else {
            return Ok(None);
        };
        let wanted = Wanted::one(id);
        let found = self.read(move || Ok(Pack::from_bytes(&data)?.attempts(&wanted)));
        Ok(found.await?.pop())
    }

    /// Looks at all packs with attempts that began then or later.
    pub(crate) async fn each_pack(
        &self,
        since: i64,
        mut act: impl FnMut(&Pack),
    ) -> Result<(), HistoryError> {
        let select = "SELECT id, last FROM condotta_packs WHERE last >= ? ORDER BY id";
        let places = self.fetch(select, &[since.into()], read_place).await?;
        for place in places {
            if let Some(data) = self.data(place.id).await? {
                act(&self.read(move || Pack::from_bytes(&data)).await?);
            }
        }
        Ok(())
    }

    /// The numbers of the packs of the time that is wanted.
    async fn range(
        &self,
        wanted: &Wanted,
        at_least: i64,
    ) -> Result<Option<[i64; 2]>, HistoryError> {
        let oldest = "SELECT id FROM condotta_packs WHERE last >= ? ORDER BY last LIMIT 1";
        let newest = "SELECT id FROM condotta_packs WHERE first <= ? ORDER BY first DESC LIMIT 1";
        let mut range = [0; 2];
        for (place, (sql, moment)) in range.iter_mut().zip([
            (oldest, wanted.since.max(at_least)),
            (newest, wanted.before[0]),
        ]) {
            let values = [moment.into()];
            let found = self.fetch(sql, &values, |row| row.try_get::<i64, _>("id"));
            let Some(id) = found.await?.pop() else {
                return Ok(None);
            };
            *place = id;
        }
        Ok(Some(range))
    }

    /// The next packs that may have what is wanted.
    async fn places(
        &self,
        wanted: &Wanted,
        [from, to]: [i64; 2],
    ) -> Result<Vec<Place>, HistoryError> {
        let mut values: Vec<Value<'_>> = Vec::new();
        let mut conditions = String::new();
        let mut table = "condotta_packs p";
        let mut id = "p.id";
        for keys in wanted.keys() {
            let names = vec!["?"; keys.len()].join(", ");
            values.extend(keys.iter().copied().map(Value::from));
            if id == "p.id" && keys.len() == 1 {
                // Only those of this key are gone through.
                table = "condotta_pack_keys k JOIN condotta_packs p ON p.id = k.pack";
                id = "k.pack";
                conditions += "k.name = ? AND ";
            } else {
                conditions += &format!(
                    "EXISTS (SELECT 1 FROM condotta_pack_keys o WHERE o.name IN ({names}) AND o.pack = {id}) AND "
                );
            }
        }
        values.extend([from, to].map(Value::from));
        let select = format!(
            "SELECT p.id, p.last FROM {table} WHERE {conditions}{id} >= ? AND {id} <= ? \
             ORDER BY {id} DESC LIMIT {AT_ONCE}"
        );
        self.fetch(&select, &values, read_place).await
    }

    /// What is in a pack, unless it was dropped meanwhile.
    async fn data(&self, id: i64) -> Result<Option<Vec<u8>>, HistoryError> {
        let select = "SELECT data FROM condotta_packs WHERE id = ?";
        let values = [id.into()];
        let rows = self.fetch(select, &values, |row| row.try_get("data"));
        Ok(rows.await?.pop())
    }

    /// Reads on a thread that may be held up.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, BadPack> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.unwrap_or_else(|error| Err(BadPack::Damaged(error.into())));
        read.map_err(|error| HistoryError::Pack {
            place: self.place().to_owned(),
            source: error.into(),
        })
    }
}

fn read_place(row: &sqlx::any::AnyRow) -> Result<Place, sqlx::Error> {
    Ok(Place {
        id: row.try_get("id")?,
        last: row.try_get("last")?,
    })
}
